import type { NewEnrolmentToken } from "@guruconnect/api";
import { Button, Select, Tabs, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../account/account.tsx";
import { Command } from "../components/Copy.tsx";
import { Refusal } from "../components/states.tsx";
import { enrolCommand } from "./enrol.ts";
import classes from "./NewToken.module.css";

const HOUR = 3_600;
const LIFETIMES = [
  { value: String(HOUR), label: "1 hour" },
  { value: String(24 * HOUR), label: "1 day" },
  { value: String(7 * 24 * HOUR), label: "7 days" },
  { value: String(30 * 24 * HOUR), label: "30 days" },
  { value: "never", label: "No end" },
];
const USES = [
  { value: "1", label: "One machine" },
  { value: "10", label: "10 machines" },
  { value: "100", label: "100 machines" },
  { value: "unlimited", label: "Any number" },
];

/** Makes an enrolment token and shows, this once, the command that uses it. */
export function NewToken({ submitLabel = "Create the command" }: { submitLabel?: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [uses, setUses] = useState("1");
  const [lifetime, setLifetime] = useState(String(24 * HOUR));
  const create = useMutation({
    mutationFn: () =>
      api.createEnrolmentToken({
        name: name.trim() || "New machine",
        max_uses: uses === "unlimited" ? null : Number(uses),
        expires_in_seconds: lifetime === "never" ? null : Number(lifetime),
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["enrolment-tokens"] }),
  });

  if (create.data) return <Created token={create.data} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      <TextInput
        label="What it is for"
        description="Shown in the audit log"
        placeholder="New machine"
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <div className={classes.pair}>
        <Select
          label="Good for"
          data={USES}
          value={uses}
          onChange={(value) => setUses(value ?? "1")}
        />
        <Select
          label="Expires after"
          data={LIFETIMES}
          value={lifetime}
          onChange={(value) => setLifetime(value ?? "never")}
        />
      </div>
      <Refusal error={create.error} />
      <Button type="submit" loading={create.isPending}>
        {submitLabel}
      </Button>
    </form>
  );
}

function Created({ token }: { token: NewEnrolmentToken }) {
  const server = window.location.origin;
  return (
    <div className={classes.form}>
      <p>
        Copy <code className="mono">guruconnect-agent</code> to the machine and run this there. The
        machine appears in the list as soon as it has connected.
      </p>
      <Tabs defaultValue="windows" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="windows">Windows</Tabs.Tab>
          <Tabs.Tab value="linux">Linux</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="windows" pt="sm">
          <Command text={enrolCommand("windows", server, token.token)} label="Copy the command" />
        </Tabs.Panel>
        <Tabs.Panel value="linux" pt="sm">
          <Command text={enrolCommand("linux", server, token.token)} label="Copy the command" />
        </Tabs.Panel>
      </Tabs>
      <p className={classes.once}>
        The token is shown only now. It lets a machine enrol and grants nothing else.
      </p>
    </div>
  );
}
