import type { CoreEvent, FilmFormat, Frame, ToWorker } from "../messages.ts";
import type { ViewerCore } from "./core.ts";

/** The part of a WebSocket that a link uses. */
export interface LinkSocket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export interface LinkHandlers {
  onEvent(event: CoreEvent): void;
  /**
   * `pixels` and `film`, the packet of the frame's film, are views into the core's memory: copy
   * them. `decodeMs` is how long opening took.
   */
  onFrame(frame: Frame, pixels: Uint8Array, film: Uint8Array, decodeMs: number): void;
  /** Called once, whoever closed. */
  onClosed(code: number): void;
}

/** WebSocket's code for a connection that was lost without a word. */
const LOST = 1006;

/**
 * 12 s: the core pings every 5 s and the other end answers, so this long without a message
 * means that the network is gone although the socket has not noticed.
 */
const SILENCE_MS = 12_000;

/** One connection: a socket and a core, and the clock that the core waits for. */
export class Link {
  readonly #socket: LinkSocket;
  readonly #openCore: () => ViewerCore;
  readonly #handlers: LinkHandlers;
  #core: ViewerCore | null = null;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDeadlineUs: number | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: LinkSocket, openCore: () => ViewerCore, handlers: LinkHandlers) {
    this.#socket = socket;
    this.#openCore = openCore;
    this.#handlers = handlers;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#message(data);
    socket.onclose = ({ code }) => this.#finish(code);
  }

  /** Passes on what the page's input devices said, and the page's acknowledgements. */
  handle(message: ToWorker): void {
    const core = this.#core;
    if (!core) return;
    const now = nowUs();
    switch (message.kind) {
      case "pointer":
        core.pointer(now, message.x, message.y, message.buttons);
        break;
      case "wheel":
        core.wheel(now, message.x, message.y, message.dx, message.dy);
        break;
      case "key":
        core.key(now, message.key);
        break;
      case "chord":
        core.chord(now, message.chord);
        break;
      case "release_all":
        core.releaseAll(now);
        break;
      case "preferences":
        core.preferences(now, message.preferences);
        break;
      case "request_control":
        core.requestControl(now);
        break;
      case "request_elevation":
        core.requestElevation(now);
        break;
      case "machine":
        core.machine(now, message.wish);
        break;
      case "refresh":
        core.refresh(now);
        break;
      default:
        return;
    }
    this.#pump();
  }

  /** All of this update is on the page's canvas. */
  painted(sequence: number): void {
    this.#core?.painted(nowUs(), sequence);
    this.#pump();
  }

  /** A film could not be decoded: begin anew, or without its format if that was the second time. */
  filmFailed(attempt: "first" | "second", format: FilmFormat): void {
    if (attempt === "first") this.#core?.refresh(nowUs());
    else this.#core?.filmFailed(nowUs(), format);
    this.#pump();
  }

  /** Ends the connection from this side. With `goodbye` the other end is told first. */
  close(goodbye: boolean): void {
    if (this.#closed) return;
    if (this.#core && goodbye) {
      this.#core.goodbye(nowUs());
      this.#pump();
    } else if (this.#core) {
      this.#core.releaseAll(nowUs());
      this.#pump();
    }
    this.#finish(1000);
  }

  #opened(): void {
    this.#guard(() => {
      this.#core = this.#openCore();
      this.#pump();
    });
  }

  #message(data: unknown): void {
    const core = this.#core;
    if (!core || !(data instanceof ArrayBuffer)) return;
    this.#listen();
    this.#guard(() => {
      const start = performance.now();
      core.handleMessage(start * 1_000, new Uint8Array(data));
      this.#pump(performance.now() - start);
    });
  }

  /** Does everything the core wants done, then sleeps until its next deadline. */
  #pump(decodeMs = 0): void {
    const core = this.#core;
    if (!core) return;
    for (let output = core.pollOutput(); output; output = core.pollOutput()) {
      if (this.#closed) return;
      if (output.kind === "send") this.#socket.send(output.bytes);
      else if (output.kind === "event") this.#handlers.onEvent(output.event);
      else this.#handlers.onFrame(output.frame, output.pixels, output.film, decodeMs);
    }
    this.#sleep(core.pollTimeout());
  }

  #sleep(deadlineUs: number | null): void {
    if (deadlineUs === this.#timerDeadlineUs) return;
    clearTimeout(this.#timer);
    this.#timerDeadlineUs = deadlineUs;
    if (deadlineUs === null || this.#closed) return;
    const waitMs = Math.max(0, (deadlineUs - nowUs()) / 1_000);
    this.#timer = setTimeout(() => {
      this.#timerDeadlineUs = null;
      this.#guard(() => {
        this.#core?.handleTimeout(nowUs());
        this.#pump();
      });
    }, waitMs);
  }

  #listen(): void {
    clearTimeout(this.#silence);
    if (!this.#closed) this.#silence = setTimeout(() => this.#finish(LOST), SILENCE_MS);
  }

  /** A fault inside the core must not leave a connection that looks alive. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = `The viewer stopped on an internal error (${error instanceof Error ? error.message : String(error)}).`;
      this.#core = null;
      this.#handlers.onEvent({ type: "ended", code: "protocol", message });
      this.#finish(1000);
    }
  }

  #finish(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#core?.free();
    this.#core = null;
    this.#handlers.onClosed(code);
  }
}

function nowUs(): number {
  return performance.now() * 1_000;
}
