import type { AuditEntry } from "@guruconnect/api";
import { describeBytes, describeDuration } from "../components/time.tsx";

/** What happened, as a sentence about the actor. A newer server may know more actions. */
const ACTIONS: Record<string, string> = {
  "session.started": "Opened a session",
  "session.rejoined": "Rejoined a session",
  "session.ended": "Ended a session",
  "session.quality_changed": "Changed the quality",
  "machine.enrolled": "Enrolled",
  "machine.reenrolled": "Enrolled again, with a new key",
  "machine.renamed": "Renamed a machine",
  "machine.removed": "Removed a machine",
  "machine.key_revoked": "Revoked a machine's key",
  "machine.power": "Used a machine's power",
  "machine.power_login": "Locked or signed out a person",
  "machine.power_failed": "Could not use a machine's power",
  "login.started": "Signed in",
  "login.failed": "Failed to sign in",
  "login.ended": "Signed out",
  "login.reuse_detected": "Used a stolen or repeated login",
  "user.created": "Added somebody",
  "user.changed": "Changed somebody's name or role",
  "user.disabled": "Took somebody's access away",
  "user.enabled": "Let somebody sign in again",
  "user.password_reset": "Set somebody's password",
  "user.password_changed": "Changed the password",
  "server.claimed": "Claimed this server",
  "enrolment_token.created": "Created an enrolment token",
  "enrolment_token.deleted": "Revoked an enrolment token",
  "support_code.created": "Made a support code",
  "support_code.requested": "Asked for help",
  "support_code.taken": "Took a request for help",
  "support_code.claimed": "Came with a support code",
  "support_code.accepted": "Let a guest in",
  "support_code.refused": "Sent a guest away",
  "support_code.cancelled": "Took a support code back",
  "support_code.expired": "Let a support code expire",
  "support_code.completed": "Finished a support session",
  "consent.answered": "Was asked for consent",
  "notice.tested": "Sent a test by mail and webhook",
  "audit.exported": "Exported the audit log",
};

/** Worth a second look. */
const SERIOUS = new Set(["login.failed", "login.reuse_detected", "machine.key_revoked"]);

export const ACTION_OPTIONS = Object.entries(ACTIONS).map(([value, label]) => ({ value, label }));

export function describeAction(action: string): string {
  const known = ACTIONS[action];
  if (known) return known;
  const words = action.replace(".", ": ").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Who did it; what the server does by itself has no name. */
export function describeActor({ actor }: AuditEntry): string {
  return actor.name || (actor.kind === "system" ? "The server" : "–");
}

export const isSerious = (action: string) => SERIOUS.has(action);

/** The details in one line, for the table. */
export function summarise(entry: AuditEntry): string {
  return Object.entries(entry.detail)
    .filter(([name, value]) => name !== "id" && value !== null && value !== "")
    .map(([name, value]) => `${describeField(name)}: ${describeValue(name, value)}`)
    .join(" · ");
}

/** `bytes_transferred` is "bytes transferred", `duration_seconds` is "duration". */
export function describeField(name: string): string {
  return name.replace(/_seconds$/, "").replaceAll("_", " ");
}

export function describeValue(name: string, value: unknown): string {
  if (typeof value === "number" && name.endsWith("_seconds")) return describeDuration(value);
  if (typeof value === "number" && name.startsWith("bytes")) return describeBytes(value);
  if (name === "reason" || name === "end_reason" || name === "action")
    return String(value).replaceAll("_", " ");
  return typeof value === "object" ? JSON.stringify(value) : String(value ?? "–");
}
