import type { Point } from "./geometry.ts";

/** 8 ms: at most two moves for each frame of a 60 Hz screen. */
const SHORTEST_MS = 8;
/** 60 ms: with fewer moves than 16 a second the machine's menus and drags follow in jumps. */
const LONGEST_MS = 60;
/** What a move is on the line: few bytes of its own, the rest is the seal's, TLS's, TCP's and IP's. */
const MOVE_BYTES = 110;
/** A quarter of what the line carries: clicks and keys queue behind the moves. */
const MOVES_SHARE = 1 / 4;

/** How long after a move the next one may go, on a line of so many bytes a second; 0: unknown. */
export function moveIntervalMs(bytesPerSecond: number): number {
  if (bytesPerSecond <= 0) return SHORTEST_MS;
  const wanted = (MOVE_BYTES * 1_000) / (bytesPerSecond * MOVES_SHARE);
  return Math.min(Math.max(wanted, SHORTEST_MS), LONGEST_MS);
}

/**
 * Thins out pointer moves to what the line carries easily: the first goes at once, the last one
 * always. A button is never behind the move that led to it, because it carries its own position.
 */
export class MoveThrottle {
  readonly #send: (position: Point, buttons: number) => void;
  readonly #bytesPerSecond: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #pending: { position: Point; buttons: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `bytesPerSecond` is asked for what the line carries now; 0: unknown. */
  constructor(send: (position: Point, buttons: number) => void, bytesPerSecond: () => number) {
    this.#send = send;
    this.#bytesPerSecond = bytesPerSecond;
  }

  move(nowMs: number, position: Point, buttons: number): void {
    const waitMs = this.#lastMs + moveIntervalMs(this.#bytesPerSecond()) - nowMs;
    if (waitMs <= 0) {
      this.button(nowMs, position, buttons);
      return;
    }
    this.#pending = { position, buttons };
    this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  /** Sends now, in place of whatever waits. */
  button(nowMs: number, position: Point, buttons: number): void {
    this.cancel();
    this.#lastMs = nowMs;
    this.#send(position, buttons);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = null;
  }

  #flush(): void {
    const pending = this.#pending;
    this.#timer = undefined;
    if (pending) this.button(performance.now(), pending.position, pending.buttons);
  }
}
