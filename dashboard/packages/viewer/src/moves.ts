import type { Point } from "./geometry.ts";

/** 8 ms: at most two moves for each frame of a 60 Hz screen. */
const MOVE_MS = 8;

/**
 * Thins out pointer moves: the first goes at once, then at most one every 8 ms, the last one
 * always. A button is never behind the move that led to it, because it carries its own position.
 */
export class MoveThrottle {
  readonly #send: (position: Point, buttons: number) => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #pending: { position: Point; buttons: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (position: Point, buttons: number) => void) {
    this.#send = send;
  }

  move(nowMs: number, position: Point, buttons: number): void {
    const waitMs = this.#lastMs + MOVE_MS - nowMs;
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
