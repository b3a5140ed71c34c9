import type { Machine } from "@guruconnect/api";
import type { ReactNode } from "react";
import { CopyValue } from "../components/Copy.tsx";
import { Panel } from "../components/Panel.tsx";
import { formatDateTime, TimeAgo } from "../components/time.tsx";
import { useFingerprint } from "./fingerprint.ts";
import classes from "./MachineFacts.module.css";
import { describeOs } from "./machines.ts";

/** What the agent reported. All of it is the machine's own word: shown as text, nothing more. */
export function MachineFacts({ machine }: { machine: Machine }) {
  const fingerprint = useFingerprint(machine.agent_public_key);
  return (
    <Panel title="Details">
      <dl className={classes.facts}>
        <Fact name="Host name" value={machine.host_name} copy />
        <Fact name="Address" value={machine.address} copy mono />
        <Fact name="User" value={machine.current_user} />
        <Fact name="System" value={describeOs(machine)} />
        <Fact name="Architecture" value={machine.architecture} />
        <Fact name="Agent" value={machine.agent_version} />
        <Fact name="First seen" value={formatDateTime(machine.created_at)} />
        <Fact
          name="Last seen"
          value={
            machine.online ? "Now" : machine.last_seen_at && <TimeAgo at={machine.last_seen_at} />
          }
        />
        <Fact name="Machine id" value={machine.id} copy mono />
        <Fact name="Key fingerprint" value={fingerprint} mono wide />
      </dl>
    </Panel>
  );
}

function Fact({
  name,
  value,
  copy,
  mono,
  wide,
}: {
  name: string;
  value: ReactNode;
  copy?: boolean;
  mono?: boolean;
  wide?: boolean;
}) {
  return (
    <div className={classes.fact} data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd className={mono ? "mono" : undefined}>
        <span>{value || "–"}</span>
        {copy && typeof value === "string" && value !== "" && (
          <span className={classes.copy}>
            <CopyValue value={value} label={`Copy ${name.toLowerCase()}`} />
          </span>
        )}
      </dd>
    </div>
  );
}
