import type { ApiClient } from "./client.ts";
import { ApiError } from "./errors.ts";
import { type ServerSentEvent, SseParser } from "./sse.ts";
import type { ChatLine, Machine, Session, SupportCode } from "./types.ts";

/** What changed on the server. */
export type LiveEvent =
  | { kind: "machine"; machine: Machine }
  | { kind: "machine_removed"; id: string }
  | { kind: "session"; session: Session }
  | { kind: "support_code"; code: SupportCode }
  | { kind: "chat"; line: ChatLine }
  /** Events may have been missed: load the lists again. Also sent after every (re)connection. */
  | { kind: "resync" };

export type LiveState = "connecting" | "live" | "unreachable";

/** The first wait is short, so that a restarted server is found at once. */
const BACKOFF_MS = [300, 600, 1_200, 2_500, 5_000];
/** The server says something at least every 15 s; after twice that and a bit the stream is dead. */
const SILENCE_MS = 35_000;

/**
 * The server's live events, for as long as the page is open. Reconnects by itself; after each
 * connection it reports `resync`, because what happened in between is unknown.
 */
export class EventStream {
  readonly #api: ApiClient;
  readonly #onEvent: (event: LiveEvent) => void;
  readonly #onState: (state: LiveState) => void;
  #abort = new AbortController();
  #closed = false;
  #failures = 0;
  #wake: (() => void) | null = null;

  constructor(
    api: ApiClient,
    handlers: { onEvent: (event: LiveEvent) => void; onState: (state: LiveState) => void },
  ) {
    this.#api = api;
    this.#onEvent = handlers.onEvent;
    this.#onState = handlers.onState;
    void this.#run();
  }

  /** Skips the wait before the next attempt, for "Try again". */
  retryNow(): void {
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#abort.abort();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#onState("connecting");
    while (!this.#closed) {
      try {
        await this.#readUntilItEnds();
      } catch (error) {
        if (this.#closed) return;
        // Signed out: the client has told the page, which closes this stream.
        if (error instanceof ApiError && error.status === 401) return;
      }
      if (this.#closed) return;
      this.#onState("unreachable");
      await this.#pause(BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0);
      this.#failures += 1;
    }
  }

  async #readUntilItEnds(): Promise<void> {
    this.#abort = new AbortController();
    const abort = this.#abort;
    const response = await this.#api.openEvents(abort.signal);
    const reader = response.body?.getReader();
    if (!reader) throw new Error("event stream without a body");
    this.#failures = 0;
    this.#onState("live");
    this.#onEvent({ kind: "resync" });

    const parser = new SseParser();
    const text = new TextDecoder();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        for (const event of parser.push(text.decode(value, { stream: true }))) {
          const live = readLiveEvent(event);
          if (live && !this.#closed) this.#onEvent(live);
        }
      }
    } finally {
      clearTimeout(silence);
      reader.cancel().catch(() => {});
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Names this version does not know are skipped: a newer server may send more. */
function readLiveEvent(event: ServerSentEvent): LiveEvent | null {
  switch (event.event) {
    case "machine":
      return { kind: "machine", machine: JSON.parse(event.data) as Machine };
    case "machine_removed":
      return { kind: "machine_removed", id: (JSON.parse(event.data) as { id: string }).id };
    case "session":
      return { kind: "session", session: JSON.parse(event.data) as Session };
    case "support_code":
      return { kind: "support_code", code: JSON.parse(event.data) as SupportCode };
    case "chat":
      return { kind: "chat", line: JSON.parse(event.data) as ChatLine };
    case "resync":
      return { kind: "resync" };
    default:
      return null;
  }
}
