import type { SupportCode, User } from "@guruconnect/api";
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { useApi, useUser } from "../account/account.tsx";

/** Live support codes and the newest that are over; the event stream keeps them current. */
export function useSupportCodes() {
  const api = useApi();
  return useQuery({
    queryKey: ["support-codes"],
    queryFn: ({ signal }) => api.supportCodes(signal),
  });
}

const LIVE = new Set(["open", "waiting", "accepted", "active"]);

export const isLive = (code: SupportCode) => LIVE.has(code.state);

/** True for codes that this technician may answer. */
export function isFor(code: SupportCode, user: User): boolean {
  const owner = code.technician_id ?? code.assigned_to;
  return !owner || owner === user.id || user.role !== "technician";
}

/** "847 291": as it is read out on the telephone. */
export function spaced(code: string): string {
  const middle = Math.ceil(code.length / 2);
  return `${code.slice(0, middle)} ${code.slice(middle)}`;
}

/** The address for the customer; the server may leave out its own name. */
export function linkOf(code: SupportCode): string | null {
  return code.link ? new URL(code.link, window.location.origin).href : null;
}

/** What the list calls a code: the customer, their computer, or the code itself. */
export function titleOf(code: SupportCode): string {
  if (code.customer) return code.customer;
  if (code.guest?.is_managed && code.guest.user)
    return `${code.guest.user} at ${code.guest.host_name}`;
  return code.guest?.host_name || `Code ${spaced(code.code ?? "")}`;
}

/** True while a customer asks for help and nobody has taken them. */
export const asksForHelp = (code: SupportCode) =>
  code.requested &&
  (code.state === "open" || fromMachine(code)) &&
  isLive(code) &&
  !code.technician_id;

/** True where the user of a managed machine asks: it is connected to as ever. */
export const fromMachine = (code: SupportCode) => code.guest?.is_managed === true;

const STATE: Record<string, string> = {
  open: "Waiting for the customer",
  waiting: "In the waiting room",
  accepted: "Let in",
  active: "In session",
  completed: "Finished",
  cancelled: "Cancelled",
  expired: "Expired",
  refused: "Refused",
};

const END: Record<string, string> = {
  guest_left: "The customer left",
  guest_gone: "The customer's computer was gone for a minute",
  session_ended: "Finished",
  ended_by_technician: "Ended by the technician",
  machine_removed: "The machine was removed",
};

/** Where a code stands, in words. */
export function describeState(code: SupportCode): string {
  if (asksForHelp(code)) return "Asks for help";
  if (fromMachine(code) && code.state === "accepted") return "Taken";
  if (fromMachine(code) && code.end_reason === "guest_left") return "Taken back at the machine";
  if (code.state === "open" && code.downloaded_at) return "The customer has the program";
  if (code.state === "completed" && code.end_reason) return END[code.end_reason] ?? "Finished";
  return STATE[code.state] ?? code.state;
}

/** True while somebody has to let the customer in, or take them. */
export const needsAnswer = (code: SupportCode) => code.state === "waiting" || asksForHelp(code);

// Which lines were read, kept over visits in this browser.
const KEY = "guruconnect.chat-read";
const MAX_KEPT = 100;
const listeners = new Set<() => void>();

function readMarks(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, number>;
  } catch {
    return {};
  }
}

/** Everything up to this line has been on the screen. */
export function markRead(supportId: string, line: number): void {
  const marks = readMarks();
  if ((marks[supportId] ?? 0) >= line) return;
  const { [supportId]: _, ...others } = marks;
  const kept = [...Object.entries(others).slice(1 - MAX_KEPT), [supportId, line]];
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** Tells which codes have lines of the customer that nobody here has seen. */
export function useUnread(): (code: SupportCode) => boolean {
  const marks = useSyncExternalStore(subscribe, () => localStorage.getItem(KEY) ?? "{}");
  const read = marks === "{}" ? {} : readMarks();
  return (code) => (code.last_guest_line ?? 0) > ((read as Record<string, number>)[code.id] ?? 0);
}

/** How many codes need this technician: somebody waits, or wrote. */
export function useAttention(): number {
  const user = useUser();
  const isUnread = useUnread();
  const codes = useSupportCodes().data?.items ?? [];
  return codes.filter(
    (code) => isLive(code) && isFor(code, user) && (needsAnswer(code) || isUnread(code)),
  ).length;
}
