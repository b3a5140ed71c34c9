import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi, useUser } from "../account/account.tsx";
import { Panel } from "../components/Panel.tsx";
import { Refusal } from "../components/states.tsx";
import { useToast } from "../components/toasts.tsx";
import classes from "./SettingsPage.module.css";

const EMPTY = { current: "", next: "", repeat: "" };

/** Changing it ends every other login. */
export function Password() {
  const api = useApi();
  const user = useUser();
  const queries = useQueryClient();
  const toast = useToast();
  const [form, setForm] = useState(EMPTY);
  const change = useMutation({
    mutationFn: () => api.changePassword(form.current, form.next),
    onSuccess: () => {
      setForm(EMPTY);
      toast("Your password was changed. Your other logins have ended.");
      return queries.invalidateQueries({ queryKey: ["logins"] });
    },
  });
  const differs = form.repeat !== "" && form.repeat !== form.next;
  const set = (name: keyof typeof EMPTY) => (event: FormEvent<HTMLInputElement>) =>
    setForm({ ...form, [name]: event.currentTarget.value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.repeat === form.next) change.mutate();
  };
  return (
    <Panel title="Password">
      <form onSubmit={submit} className={classes.password}>
        {/* Tells password managers whose password this is. */}
        <input type="text" autoComplete="username" value={user.username} readOnly hidden />
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={form.current}
          onChange={set("current")}
        />
        <PasswordInput
          label="New password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={form.next}
          onChange={set("next")}
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={form.repeat}
          onChange={set("repeat")}
          error={differs ? "The two passwords differ." : null}
        />
        <Refusal error={change.error} />
        <Button type="submit" loading={change.isPending} disabled={differs}>
          Change the password
        </Button>
      </form>
    </Panel>
  );
}
