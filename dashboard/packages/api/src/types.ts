import type { components } from "./schema.ts";

/** The API's resources under the names the rest of the dashboard uses. */

type Schemas = components["schemas"];

export type User = Schemas["UserBody"];
export type SignedIn = Schemas["SignedInBody"];
/** Somebody who can sign in, or could once, as administrators see them. */
export type Account = Schemas["AccountBody"];
/** One sign-in of the own account, on one browser. */
export type Login = Schemas["LoginBody"];
export type Machine = Schemas["MachineBody"];
export type EnrolmentToken = Schemas["TokenBody"];
/** The answer to making a token: the only time its text is shown. */
export type NewEnrolmentToken = Schemas["CreatedTokenBody"];
/** Everything a viewer needs to join a session once. */
export type SessionTicket = Schemas["AdmissionBody"];
export type Session = Schemas["SessionBody"];
/** `detail` has other fields for each action. */
export type AuditEntry = Omit<Schemas["AuditBody"], "detail"> & {
  detail: Record<string, unknown>;
};
/** A code that a customer types to be helped, from making it to the end of the help. */
export type SupportCode = Schemas["SupportCodeBody"];
export type SupportCodes = Schemas["SupportCodesBody"];
/** The customer's computer in the waiting room, or being helped. */
export type Guest = NonNullable<SupportCode["guest"]>;
export type ChatLine = Schemas["ChatLineBody"];
/** What can be done to a machine as a whole. A newer server may know more. */
export type PowerAction =
  | "lock"
  | "log_off"
  | "restart"
  | "shut_down"
  | "safe_mode"
  | "safe_mode_network"
  | "safe_mode_prompt"
  | "emergency_restart";
/** Who is told by mail and webhook, and what was delivered. */
export type Notices = Schemas["NoticesBody"];
export type Notice = Notices["items"][number];
export type Quality = "auto" | "low" | "medium" | "high";

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export interface AuditFilter {
  action?: string | undefined;
  machine_id?: string | undefined;
  user_id?: string | undefined;
}
