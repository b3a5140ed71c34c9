import type { ConnectionState, Viewer } from "@guruconnect/viewer";
import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { isAdmin, useUser } from "../account/account.tsx";
import { Mark } from "../shell/Mark.tsx";
import classes from "./StatusCard.module.css";

interface StatusProps {
  state: ConnectionState;
  viewer: Viewer;
  machineName: string;
  onLeave: () => void;
}

/** In front of the dimmed picture: what is happening, and what can be done about it. */
export function StatusCard(props: StatusProps) {
  const { state } = props;
  if (state.kind === "connected") return null;
  if (state.kind === "connecting") return <Connecting {...props} />;
  return (
    <div className={classes.card} role={state.kind === "ended" ? "alert" : "status"}>
      {state.kind === "reconnecting" ? (
        <Reconnecting {...props} state={state} />
      ) : (
        <Ended {...props} state={state} />
      )}
    </div>
  );
}

/** Most connections take a blink; a card that only flashes would be noise. */
const QUIET_MS = 350;

function Connecting({ machineName, onLeave }: StatusProps) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <div className={classes.card} role="status">
      <span className={classes.spinner}>
        <Mark size={40} />
      </span>
      <p className={classes.title}>Connecting to {machineName}…</p>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onLeave}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

function Reconnecting({
  state,
  viewer,
  onLeave,
}: StatusProps & { state: Extract<ConnectionState, { kind: "reconnecting" }> }) {
  return (
    <>
      <span className={classes.spinner}>
        <Mark size={40} />
      </span>
      <p className={classes.title}>{state.message}</p>
      {state.attempt > 3 && (
        <p className={classes.text}>
          Attempt {state.attempt}. You can leave this open: it goes on by itself.
        </p>
      )}
      <div className={classes.buttons}>
        <Button onClick={() => viewer.reconnect()}>Try now</Button>
        <Button variant="default" onClick={onLeave}>
          Leave
        </Button>
      </div>
    </>
  );
}

const TITLE: Partial<Record<Extract<ConnectionState, { kind: "ended" }>["reason"], string>> = {
  agent_key_changed: "This machine's key has changed",
  agent_key_mismatch: "This is not the machine you asked for",
  tampered: "The connection was tampered with",
  not_allowed: "Not allowed",
  broken: "The viewer cannot run",
};

function Ended({
  state,
  viewer,
  machineName,
  onLeave,
}: StatusProps & { state: Extract<ConnectionState, { kind: "ended" }> }) {
  const admin = isAdmin(useUser());
  const title = TITLE[state.reason];
  const keyChanged = state.reason === "agent_key_changed";
  const again = !["agent_key_changed", "machine_not_found", "broken"].includes(state.reason);
  return (
    <>
      <p className={classes.title}>{title ?? state.message}</p>
      {title && <p className={classes.text}>{state.message}</p>}
      {keyChanged && (
        <p className={classes.text}>
          {admin
            ? `Trust the new key only if you know that the agent on ${machineName} was installed or enrolled again. This browser then remembers the new key.`
            : "Ask an administrator: they can compare the key with the machine's and trust the new one."}
        </p>
      )}
      <div className={classes.buttons}>
        {again && <Button onClick={() => viewer.reconnect()}>Connect again</Button>}
        {state.reason === "broken" && (
          <Button onClick={() => window.location.reload()}>Reload the page</Button>
        )}
        {keyChanged && admin && (
          <Button color="red" onClick={() => viewer.trustNewKey()}>
            Trust the new key and connect
          </Button>
        )}
        <Button variant="default" onClick={onLeave}>
          To the machine
        </Button>
      </div>
    </>
  );
}
