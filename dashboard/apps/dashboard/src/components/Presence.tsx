import type { Machine } from "@guruconnect/api";
import classes from "./Presence.module.css";

export type PresenceState = "online" | "busy" | "offline";

export function presenceOf(machine: Machine): PresenceState {
  if (!machine.online) return "offline";
  return machine.sessions.length > 0 ? "busy" : "online";
}

export const PRESENCE_LABEL: Record<PresenceState, string> = {
  online: "Online",
  busy: "In session",
  offline: "Offline",
};

/** A dot that is told apart by its shape as well: filled, ringed, hollow. */
export function Presence({ machine }: { machine: Machine }) {
  const state = presenceOf(machine);
  return (
    <span
      className={classes.dot}
      data-state={state}
      role="img"
      aria-label={PRESENCE_LABEL[state]}
      title={PRESENCE_LABEL[state]}
    />
  );
}
