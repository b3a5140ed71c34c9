import type { Account } from "@guruconnect/api";
import { Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { useApi } from "../account/account.tsx";
import { CopyValue } from "../components/Copy.tsx";
import { Refusal } from "../components/states.tsx";
import { useToast } from "../components/toasts.tsx";
import classes from "./PeoplePage.module.css";
import { makePassword, ROLE_HINTS, ROLES } from "./roles.ts";

interface DialogProps {
  person: Account;
  onClose: () => void;
}

/** Calls the server, then shows the list as it is now and closes. */
function useChange<T>(call: () => Promise<T>, done: string, onClose: () => void) {
  const queries = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: call,
    onSuccess: () => {
      toast(done);
      onClose();
      return queries.invalidateQueries({ queryKey: ["people"] });
    },
  });
}

function PersonForm({
  title,
  submit,
  change,
  onClose,
  children,
  danger = false,
}: {
  title: string;
  submit: string;
  change: { mutate: () => void; isPending: boolean; error: unknown };
  onClose: () => void;
  children: ReactNode;
  danger?: boolean;
}) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <form onSubmit={send} autoComplete="off">
        <Stack gap="sm">
          {children}
          <Refusal error={change.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending} {...(danger ? { color: "red" } : {})}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function AddPerson({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [role, setRole] = useState("technician");
  const [password, setPassword] = useState(makePassword);
  const add = useChange(
    () => api.addPerson({ display_name: name.trim(), username: username.trim(), role, password }),
    `${name.trim()} can sign in now.`,
    onClose,
  );
  return (
    <PersonForm title="Add somebody" submit="Add" change={add} onClose={onClose}>
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        required
        withAsterisk={false}
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="User name"
        description="What they sign in with"
        value={username}
        maxLength={64}
        required
        withAsterisk={false}
        autoCapitalize="none"
        spellCheck={false}
        onChange={(event) => setUsername(event.currentTarget.value)}
      />
      <RoleSelect value={role} onChange={setRole} />
      <PasswordField value={password} onChange={setPassword} />
    </PersonForm>
  );
}

export function ChangePerson({ person, onClose }: DialogProps) {
  const api = useApi();
  const [name, setName] = useState(person.display_name);
  const [role, setRole] = useState<string>(person.role);
  const change = useChange(
    () => api.changePerson(person.id, { display_name: name.trim(), role }),
    `${name.trim()} was changed.`,
    onClose,
  );
  return (
    <PersonForm title={`Change ${person.username}`} submit="Save" change={change} onClose={onClose}>
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        required
        withAsterisk={false}
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <RoleSelect value={role} onChange={setRole} />
    </PersonForm>
  );
}

export function ResetPassword({ person, onClose }: DialogProps) {
  const api = useApi();
  const [password, setPassword] = useState(makePassword);
  const reset = useChange(
    () => api.resetPassword(person.id, password),
    `${person.display_name} has a new password.`,
    onClose,
  );
  return (
    <PersonForm
      title={`New password for ${person.display_name}`}
      submit="Set the password"
      change={reset}
      onClose={onClose}
    >
      <Text>They are signed out everywhere, and what they have open ends.</Text>
      <PasswordField value={password} onChange={setPassword} />
    </PersonForm>
  );
}

export function DisablePerson({ person, onClose }: DialogProps) {
  const api = useApi();
  const disable = useChange(
    () => api.changePerson(person.id, { disabled: true }),
    `${person.display_name} cannot sign in any more.`,
    onClose,
  );
  return (
    <PersonForm
      title={`Take away the access of ${person.display_name}?`}
      submit="Take it away"
      change={disable}
      onClose={onClose}
      danger
    >
      <Text>
        They are signed out at once and their sessions end. What they did stays in the audit log,
        and you can let them sign in again.
      </Text>
    </PersonForm>
  );
}

function RoleSelect({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  return (
    <Select
      label="Role"
      description={ROLE_HINTS[value]}
      data={ROLES}
      value={value}
      allowDeselect={false}
      onChange={(role) => role && onChange(role)}
    />
  );
}

/** In plain sight: it has to be passed on. */
function PasswordField({
  value,
  onChange,
}: {
  value: string;
  onChange: (password: string) => void;
}) {
  return (
    <div className={classes.password}>
      <TextInput
        label="Password"
        description="Give it to them; they can choose their own in the settings."
        value={value}
        required
        withAsterisk={false}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <CopyValue value={value} label="Copy the password" />
    </div>
  );
}
