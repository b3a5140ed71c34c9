import type { Point } from "./geometry.ts";

/** Points are of the page; the receiver knows where the picture is. */
export interface GestureSink {
  pointer(at: Point, buttons: number): void;
  /** By how much the content should move under the fingers, in CSS pixels. */
  scroll(at: Point, dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  cancelled(): void;
}

const LEFT = 1;
const RIGHT = 2;

/** A finger is never still: below this many pixels it has not moved. */
const SLOP_PX = 8;
/** As long as phones take for a long press. */
const LONG_PRESS_MS = 500;
/** Fingers must spread this much before two of them mean zoom. */
const PINCH_SLOP_PX = 24;

type Gesture =
  | { kind: "none" }
  /** One finger down; may become a tap, a drag, a long press, or the first of two. */
  | { kind: "pending"; start: Point; timer: ReturnType<typeof setTimeout> }
  | { kind: "drag"; at: Point }
  /** The long press has been sent; nothing more until the finger leaves. */
  | { kind: "held" }
  | { kind: "two"; spread: number; startSpread: number; center: Point; zooming: boolean }
  /** A gesture ended with fingers still down. */
  | { kind: "waiting" };

/**
 * Fingers as a mouse: tap is click, long press is right click, one finger drags, two fingers
 * scroll or zoom.
 */
export class TouchGestures {
  readonly #sink: GestureSink;
  readonly #fingers = new Map<number, Point>();
  #gesture: Gesture = { kind: "none" };

  constructor(sink: GestureSink) {
    this.#sink = sink;
  }

  down(id: number, at: Point): void {
    this.#fingers.set(id, at);
    if (this.#fingers.size === 1) {
      const timer = setTimeout(() => this.#longPress(at), LONG_PRESS_MS);
      this.#gesture = { kind: "pending", start: at, timer };
      return;
    }
    if (this.#gesture.kind === "pending") clearTimeout(this.#gesture.timer);
    if (this.#gesture.kind === "drag") this.#sink.pointer(this.#gesture.at, 0);
    const spread = this.#spread();
    this.#gesture =
      this.#fingers.size === 2
        ? { kind: "two", spread, startSpread: spread, center: this.#center(), zooming: false }
        : { kind: "waiting" };
  }

  move(id: number, at: Point): void {
    if (!this.#fingers.has(id)) return;
    this.#fingers.set(id, at);
    const gesture = this.#gesture;
    if (gesture.kind === "pending" && distance(gesture.start, at) > SLOP_PX) {
      clearTimeout(gesture.timer);
      this.#sink.pointer(gesture.start, 0);
      this.#sink.pointer(gesture.start, LEFT);
      this.#gesture = { kind: "drag", at: gesture.start };
    }
    if (this.#gesture.kind === "drag") {
      this.#gesture.at = at;
      this.#sink.pointer(at, LEFT);
    }
    if (gesture.kind === "two") this.#moveTwo(gesture);
  }

  up(id: number, at: Point): void {
    if (!this.#fingers.delete(id)) return;
    const gesture = this.#gesture;
    if (gesture.kind === "pending") {
      clearTimeout(gesture.timer);
      this.#click(gesture.start, LEFT);
    }
    if (gesture.kind === "drag") this.#sink.pointer(at, 0);
    this.#gesture = { kind: this.#fingers.size === 0 ? "none" : "waiting" };
  }

  /** The system took the fingers away, for a gesture of its own. */
  cancel(): void {
    this.reset();
    this.#sink.cancelled();
  }

  reset(): void {
    if (this.#gesture.kind === "pending") clearTimeout(this.#gesture.timer);
    this.#fingers.clear();
    this.#gesture = { kind: "none" };
  }

  #longPress(at: Point): void {
    this.#gesture = { kind: "held" };
    navigator.vibrate?.(10);
    this.#click(at, RIGHT);
  }

  #click(at: Point, button: number): void {
    this.#sink.pointer(at, 0);
    this.#sink.pointer(at, button);
    this.#sink.pointer(at, 0);
  }

  #moveTwo(gesture: Extract<Gesture, { kind: "two" }>): void {
    const center = this.#center();
    const spread = this.#spread();
    gesture.zooming ||= Math.abs(spread - gesture.startSpread) > PINCH_SLOP_PX;
    if (gesture.zooming && gesture.spread > 0) this.#sink.zoom(spread / gesture.spread, center);
    // Content follows the fingers: it scrolls the other way.
    this.#sink.scroll(center, gesture.center.x - center.x, gesture.center.y - center.y);
    gesture.center = center;
    gesture.spread = spread;
  }

  #center(): Point {
    const [a, b] = [...this.#fingers.values()];
    if (!a || !b) return a ?? { x: 0, y: 0 };
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  #spread(): number {
    const [a, b] = [...this.#fingers.values()];
    return a && b ? distance(a, b) : 0;
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
