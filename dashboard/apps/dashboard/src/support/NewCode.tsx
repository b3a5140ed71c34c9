import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useApi } from "../account/account.tsx";
import { Panel } from "../components/Panel.tsx";
import { Refusal } from "../components/states.tsx";
import { putSupportCode } from "../live.tsx";
import classes from "./SupportPage.module.css";

const MINUTE = 60;
const LIFETIMES = [
  { value: "never", label: "No end" },
  { value: String(15 * MINUTE), label: "15 minutes" },
  { value: String(60 * MINUTE), label: "1 hour" },
  { value: String(24 * 60 * MINUTE), label: "1 day" },
];

/** Makes a code for a customer. */
export function NewCode() {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [customer, setCustomer] = useState("");
  const [lifetime, setLifetime] = useState("never");
  const [mine, setMine] = useState(true);
  const create = useMutation({
    mutationFn: () =>
      api.createSupportCode({
        customer: customer.trim(),
        assigned_to_me: mine,
        expires_in_seconds: lifetime === "never" ? null : Number(lifetime),
      }),
    onSuccess: (code) => {
      putSupportCode(queries, code);
      setCustomer("");
      navigate(`/support-codes/${encodeURIComponent(code.id)}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Panel title="New support code">
      <form className={classes.form} onSubmit={submit}>
        <TextInput
          label="Customer"
          placeholder="Optional, for you and your colleagues"
          value={customer}
          maxLength={100}
          onChange={(event) => setCustomer(event.currentTarget.value)}
        />
        <Select
          label="Valid for"
          data={LIFETIMES}
          value={lifetime}
          onChange={(value) => setLifetime(value ?? "never")}
        />
        <Checkbox
          label="Only I can let the customer in"
          checked={mine}
          onChange={(event) => setMine(event.currentTarget.checked)}
        />
        <Refusal error={create.error} />
        <Button type="submit" loading={create.isPending}>
          Make a code
        </Button>
      </form>
    </Panel>
  );
}
