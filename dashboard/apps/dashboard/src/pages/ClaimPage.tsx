import { ApiError } from "@guruconnect/api";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, Navigate } from "react-router";
import { useAccount } from "../account/account.tsx";
import { Refusal } from "../components/states.tsx";
import { FrontDoor } from "../shell/FrontDoor.tsx";
import { useTitle } from "../useTitle.ts";

/** A fresh server's first visit: whoever reads its console becomes its administrator. */
export function ClaimPage() {
  useTitle("Set up");
  const { account, claim } = useAccount();
  const [form, setForm] = useState({ secret: "", display_name: "", username: "", password: "" });
  const [repeat, setRepeat] = useState("");
  const attempt = useMutation({ mutationFn: claim });

  if (account.kind === "signed_in") return <Navigate to="/" replace />;
  const code = attempt.error instanceof ApiError ? attempt.error.code : null;
  if (account.kind === "signed_out" || code === "already_claimed") {
    return (
      <FrontDoor title="Already set up" lead="This server has an administrator.">
        <Button component={Link} to="/sign-in" reloadDocument={code !== null}>
          Sign in
        </Button>
      </FrontDoor>
    );
  }

  const differs = repeat !== "" && repeat !== form.password;
  const set = (name: keyof typeof form) => (event: FormEvent<HTMLInputElement>) =>
    setForm({ ...form, [name]: event.currentTarget.value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (repeat === form.password) {
      attempt.mutate({
        ...form,
        secret: form.secret.trim(),
        username: form.username.trim(),
        display_name: form.display_name.trim(),
      });
    }
  };
  return (
    <FrontDoor
      title="Set up this server"
      lead="It printed a one-time secret on its console when it started. Enter it here to become its administrator."
    >
      <form onSubmit={submit} style={{ display: "contents" }}>
        <TextInput
          label="One-time secret"
          name="secret"
          autoComplete="off"
          spellCheck={false}
          required
          withAsterisk={false}
          autoFocus
          value={form.secret}
          onChange={set("secret")}
          error={code === "wrong_secret" ? "This is not the secret on the console." : null}
        />
        <TextInput
          label="Your name"
          description="Shown to the people you help"
          name="display_name"
          autoComplete="name"
          required
          withAsterisk={false}
          value={form.display_name}
          onChange={set("display_name")}
        />
        <TextInput
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          value={form.username}
          onChange={set("username")}
        />
        <PasswordInput
          label="Password"
          description="12 characters or more; a few words are fine"
          name="password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={form.password}
          onChange={set("password")}
          error={
            code === "weak_password" && attempt.error instanceof ApiError
              ? attempt.error.message
              : null
          }
        />
        <PasswordInput
          label="Password again"
          name="repeat"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={repeat}
          onChange={(event) => setRepeat(event.currentTarget.value)}
          error={differs ? "The two passwords differ." : null}
        />
        {code !== "wrong_secret" && code !== "weak_password" && <Refusal error={attempt.error} />}
        <Button type="submit" loading={attempt.isPending} disabled={differs} fullWidth>
          Set up and sign in
        </Button>
      </form>
    </FrontDoor>
  );
}
