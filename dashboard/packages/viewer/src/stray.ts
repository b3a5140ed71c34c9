import type { Point } from "./geometry.ts";

/** 250 ms: what an answer takes beside the way, at a machine and a browser that are busy. */
const PATIENCE_MS = 250;
/** 2 pixels: both pointers are rounded on their way. */
const NEAR_PX = 2;

/**
 * Tells whether the remote pointer has gone its own way. Pure: it is told what happened and when.
 * The machine's pointer follows ours a round trip later, so until that has passed since our last
 * move, another place says nothing.
 */
export class StrayPointer {
  #remote: Point | null = null;
  #ours: Point | null = null;
  /** Since when both could have met, and have not; `null`: they are at one place. */
  #apartSinceMs: number | null = null;

  /** Where the machine says that its pointer is. */
  handleRemote(nowMs: number, position: Point): void {
    this.#remote = position;
    this.#compare(nowMs);
  }

  /** Our pointer was moved to here; `null`: it has left the picture. */
  handleOurs(nowMs: number, position: Point | null): void {
    this.#ours = position;
    if (position) this.#apartSinceMs = null;
    this.#compare(nowMs);
  }

  /**
   * When the remote pointer counts as gone its own way, if nothing more happens; `null`: it is
   * where ours is. `roundTripMs` is `null` while unknown.
   */
  astrayAt(roundTripMs: number | null): number | null {
    return this.#apartSinceMs === null
      ? null
      : this.#apartSinceMs + PATIENCE_MS + (roundTripMs ?? 0);
  }

  /** Forgets a connection's pointer. Ours is where it is. */
  reset(): void {
    this.#remote = null;
    this.#apartSinceMs = null;
  }

  #compare(nowMs: number): void {
    if (this.#agree()) this.#apartSinceMs = null;
    else this.#apartSinceMs ??= nowMs;
  }

  #agree(): boolean {
    if (!this.#remote) return true;
    if (!this.#ours) return false;
    return (
      Math.abs(this.#remote.x - this.#ours.x) <= NEAR_PX &&
      Math.abs(this.#remote.y - this.#ours.y) <= NEAR_PX
    );
  }
}
