import type { EndCode, SessionInfo } from "./messages.ts";

/** Why there is no connection for the moment. */
export type LostReason =
  | "machine_offline"
  | "machine_disconnected"
  | "machine_unreachable"
  | "agent_stopped"
  | "desktop_lost"
  | "server_unreachable"
  | "connection_lost"
  | "busy";

/** Why there is no connection any more. */
export type EndReason =
  | "closed"
  | "session_ended"
  | "machine_not_found"
  | "not_allowed"
  | "signed_out"
  | "agent_key_changed"
  | "agent_key_mismatch"
  | "tampered"
  | "protocol"
  | "incompatible"
  | "refused"
  | "ended_by_person"
  | "declined"
  | "no_answer"
  | "broken";

/** Where the session stands; `message` is a sentence for the technician. */
export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "connected" }
  | { kind: "reconnecting"; reason: LostReason; attempt: number; message: string }
  | { kind: "ended"; reason: EndReason; message: string };

export type ConnectionOutput =
  /** Ask the host for a session; answer with `handleSession` or `handleSessionFailed`. */
  | { kind: "get_session"; request: number }
  | { kind: "open"; link: number; session: SessionInfo }
  /** With `goodbye` we do not come back. */
  | { kind: "close"; goodbye: boolean }
  | { kind: "state"; state: ConnectionState };

/** What happened means one of these two. */
type Outcome = { end: EndReason } | { lost: LostReason };

/**
 * The relay's close codes. Any other is a lost connection; so is 4003, a ticket that was not
 * accepted: it lives for seconds and may have grown old on the way, and a fresh one will tell.
 */
const CLOSED: Record<number, Outcome> = {
  1001: { lost: "server_unreachable" },
  4001: { lost: "machine_disconnected" },
  4002: { end: "session_ended" },
  4004: { lost: "machine_unreachable" },
  4005: { end: "protocol" },
};

/** 0.3 s: a restarted agent or server is back within a blink; 3 s: still soon for who waits. */
const BACKOFF_MS = [300, 600, 1_200, 2_400, 3_000];
/** Up to a fifth more, so that viewers of a restarted server do not come all at once. */
const JITTER = 0.2;
/** 20 s: the relay itself gives the machine 10 s to come. */
const OPENING_MS = 20_000;

const LOST_MESSAGE: Record<LostReason, string> = {
  machine_offline: "The machine is offline. Waiting for it to come back…",
  machine_disconnected: "The machine lost its connection. Waiting for it to come back…",
  machine_unreachable: "The machine does not answer. Trying again…",
  agent_stopped: "The agent on the machine stopped. Waiting for it to come back…",
  desktop_lost: "The machine's desktop is not available right now. Trying again…",
  server_unreachable: "The server cannot be reached. Trying again…",
  connection_lost: "The connection was lost. Reconnecting…",
  busy: "The server asks us to wait a moment…",
};

const END_MESSAGE: Record<EndReason, string> = {
  closed: "You have disconnected.",
  session_ended: "The session has ended.",
  machine_not_found: "This machine no longer exists.",
  not_allowed: "You are not allowed to open this machine.",
  signed_out: "You have been signed out.",
  agent_key_changed:
    "This machine proved its identity with a different key than last time, so the connection was refused. That is expected after the agent was installed again; otherwise somebody may be posing as the machine.",
  agent_key_mismatch:
    "What answered is not the machine you asked for: it does not hold the machine's key. The connection was refused.",
  tampered: "Somebody changed the data on its way, so the connection was cut. Nothing was shown.",
  protocol: "The connection was cut because something unexpected was received.",
  incompatible: "The agent on this machine is too old or too new for this dashboard.",
  refused: "The machine refused the connection.",
  ended_by_person: "The person at the machine ended the session.",
  declined: "The person at the machine did not allow the session.",
  no_answer: "Nobody at the machine answered the question in time, so nothing was shown.",
  broken: "The viewer cannot run in this browser.",
};

/** What the host's `getSession` may throw as `code`. Anything else is a server that does not answer. */
const REFUSED: Record<string, Outcome> = {
  machine_offline: { lost: "machine_offline" },
  too_many_attempts: { lost: "busy" },
  session_ended: { end: "session_ended" },
  session_not_found: { end: "session_ended" },
  machine_not_found: { end: "machine_not_found" },
  forbidden: { end: "not_allowed" },
  not_allowed: { end: "not_allowed" },
  signed_out: { end: "signed_out" },
  agent_key_changed: { end: "agent_key_changed" },
};

const CORE_END: Record<EndCode, Outcome> = {
  agent_key_mismatch: { end: "agent_key_mismatch" },
  refused: { end: "refused" },
  tampered: { end: "tampered" },
  protocol: { end: "protocol" },
  incompatible: { end: "incompatible" },
  goodbye: { end: "closed" },
  ended_by_person: { end: "ended_by_person" },
  declined: { end: "declined" },
  no_answer: { end: "no_answer" },
  ended_by_agent: { lost: "agent_stopped" },
  desktop_lost: { lost: "desktop_lost" },
  grant_expired: { lost: "connection_lost" },
};

const UNANSWERED: Outcome = { lost: "machine_unreachable" };

/**
 * Keeps a session connected. Pure: it is told what happened and when, and says what to do. It
 * never gives up while the page is open, except when trying again cannot help.
 */
export class Connection {
  readonly #random: () => number;
  readonly #outputs: ConnectionOutput[] = [];
  #state: ConnectionState = { kind: "connecting" };
  /** Names the current request or link; answers to older ones are ignored. */
  #current = 0;
  #step: "asking" | "opening" | "open" | "waiting" | "ended" = "waiting";
  #deadline: number | null = null;
  #failures = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
    this.#ask();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  pollOutput(): ConnectionOutput | undefined {
    return this.#outputs.shift();
  }

  /** When to call `handleTimeout`, in the clock of `nowMs`; `null`: never. */
  pollTimeout(): number | null {
    return this.#deadline;
  }

  handleSession(nowMs: number, request: number, session: SessionInfo): void {
    if (request !== this.#current || this.#step !== "asking") return;
    this.#step = "opening";
    this.#deadline = nowMs + OPENING_MS;
    this.#outputs.push({ kind: "open", link: this.#current, session });
  }

  /** The host could not get a session; `code` is the server's, where there is one. */
  handleSessionFailed(nowMs: number, request: number, code: string | null): void {
    if (request !== this.#current || this.#step !== "asking") return;
    this.#conclude(nowMs, REFUSED[code ?? ""] ?? { lost: "server_unreachable" });
  }

  handleConnected(link: number): void {
    if (link !== this.#current || this.#step !== "opening") return;
    this.#step = "open";
    this.#deadline = null;
    this.#failures = 0;
    this.#become({ kind: "connected" });
  }

  /** The core ended the session, for a reason that both ends know. */
  handleCoreEnded(nowMs: number, link: number, code: EndCode, message: string): void {
    if (link !== this.#current || !this.#hasLink()) return;
    // A machine that falls silent while it opens may do better next time.
    const outcome = code === "protocol" && this.#step === "opening" ? UNANSWERED : CORE_END[code];
    this.#conclude(nowMs, outcome ?? { end: "protocol" }, message);
  }

  handleClosed(nowMs: number, link: number, code: number): void {
    if (link !== this.#current || !this.#hasLink()) return;
    this.#conclude(nowMs, CLOSED[code] ?? { lost: "connection_lost" });
  }

  /** The viewer cannot work here at all. */
  handleBroken(message: string): void {
    if (this.#step !== "ended") this.#end("broken", message);
  }

  handleTimeout(nowMs: number): void {
    if (this.#deadline === null || nowMs < this.#deadline) return;
    if (this.#step === "waiting") this.#ask();
    else if (this.#step === "opening") this.#lose(nowMs, "machine_unreachable");
  }

  /** The network is back, or the technician does not want to wait. */
  handleRetryNow(): void {
    if (this.#step === "waiting") this.#ask();
  }

  /** Begins anew after an end: the technician asked for it. */
  handleRestart(): void {
    if (this.#step !== "ended") return;
    this.#failures = 0;
    this.#become({ kind: "connecting" });
    this.#ask();
  }

  handleClose(): void {
    if (this.#step !== "ended") this.#end("closed");
  }

  #hasLink(): boolean {
    return this.#step === "opening" || this.#step === "open";
  }

  #conclude(nowMs: number, outcome: Outcome, message?: string): void {
    if ("end" in outcome) this.#end(outcome.end, message);
    else this.#lose(nowMs, outcome.lost);
  }

  #ask(): void {
    this.#current += 1;
    this.#step = "asking";
    this.#deadline = null;
    this.#outputs.push({ kind: "get_session", request: this.#current });
  }

  #lose(nowMs: number, reason: LostReason): void {
    const hadLink = this.#hasLink();
    this.#failures += 1;
    this.#current += 1;
    this.#step = "waiting";
    const wait = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length) - 1] ?? 0;
    this.#deadline = nowMs + wait * (1 + JITTER * this.#random());
    if (hadLink) this.#outputs.push({ kind: "close", goodbye: false });
    this.#become({
      kind: "reconnecting",
      reason,
      attempt: this.#failures,
      message: LOST_MESSAGE[reason],
    });
  }

  #end(reason: EndReason, message: string = END_MESSAGE[reason]): void {
    const hadLink = this.#hasLink();
    this.#current += 1;
    this.#step = "ended";
    this.#deadline = null;
    if (hadLink) this.#outputs.push({ kind: "close", goodbye: reason === "closed" });
    this.#become({ kind: "ended", reason, message });
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#outputs.push({ kind: "state", state });
  }
}
