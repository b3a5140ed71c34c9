import { ApiError } from "@guruconnect/api";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { Navigate, useLocation } from "react-router";
import { useAccount } from "../account/account.tsx";
import { Refusal } from "../components/states.tsx";
import { FrontDoor } from "../shell/FrontDoor.tsx";
import { useTitle } from "../useTitle.ts";

export function SignInPage() {
  useTitle("Sign in");
  const { account, signIn } = useAccount();
  const { state } = useLocation() as { state: { from?: string } | null };
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useMutation({ mutationFn: () => signIn(username.trim(), password) });
  const waitSeconds = useWait(attempt.error);

  if (account.kind === "signed_in") return <Navigate to={state?.from ?? "/"} replace />;
  if (account.kind === "unclaimed") return <Navigate to="/claim" replace />;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    attempt.mutate(undefined, { onError: () => setPassword("") });
  };
  return (
    <FrontDoor title="Sign in" lead={`to ${window.location.host}`}>
      <form onSubmit={submit} style={{ display: "contents" }}>
        <TextInput
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          data-autofocus
          autoFocus
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Refusal error={attempt.error} />
        <Button type="submit" loading={attempt.isPending} disabled={waitSeconds > 0} fullWidth>
          {waitSeconds > 0 ? `Try again in ${waitSeconds} s` : "Sign in"}
        </Button>
      </form>
    </FrontDoor>
  );
}

/** Counts down while the server asks for patience. */
function useWait(error: unknown): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0;
    setLeft(seconds);
    if (seconds === 0) return;
    const timer = setInterval(() => setLeft((value) => Math.max(0, value - 1)), 1_000);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}
