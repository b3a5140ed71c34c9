import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RemoteCursor } from "./cursor.ts";
import type { Screen } from "./screen.ts";

const ARROW = {
  type: "cursor_shape",
  id: 1,
  width: 1,
  height: 1,
  hot_x: 0,
  hot_y: 0,
  rgba: btoa("\0\0\0\0"),
} as const;

beforeEach(() => {
  vi.useFakeTimers();
  // This browser draws nothing; here it is about whether the copy is to be seen.
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The remote pointer on a line with this round trip, with its shape known. */
function cursor(roundTripMs: number) {
  const overlay = document.createElement("canvas");
  const canvas = document.createElement("canvas");
  const screen = { canvas, picture: { width: 1_280, height: 800 }, cssScale: 1 };
  const under = new RemoteCursor(screen as unknown as Screen, overlay, () => roundTripMs);
  under.handleShape(ARROW);
  return { under, isDrawn: () => !overlay.hidden };
}

describe("RemoteCursor", () => {
  it("draws no second pointer while the answer to a move is on its way", () => {
    const it = cursor(600);
    it.under.handlePosition(10, 10, true);
    it.under.handleOurs({ x: 500, y: 500 });

    // Where our pointer was some time ago.
    vi.advanceTimersByTime(590);
    it.under.handlePosition(300, 300, true);
    vi.advanceTimersByTime(200);
    expect(it.isDrawn()).toBe(false);

    it.under.handlePosition(500, 500, true);
    vi.advanceTimersByTime(5_000);
    expect(it.isDrawn()).toBe(false);
  });

  it("draws the remote pointer where it went by itself, until ours moves", () => {
    const it = cursor(100);
    it.under.handleOurs({ x: 500, y: 500 });
    it.under.handlePosition(500, 500, true);

    it.under.handlePosition(10, 10, true);
    vi.advanceTimersByTime(340);
    expect(it.isDrawn()).toBe(false);
    vi.advanceTimersByTime(20);
    expect(it.isDrawn()).toBe(true);

    it.under.handleOurs({ x: 501, y: 500 });
    expect(it.isDrawn()).toBe(false);
  });

  it("always draws it for who only watches, and never on a display that is not shown", () => {
    const it = cursor(100);
    it.under.setFollowing(false);

    it.under.handlePosition(10, 10, true);
    expect(it.isDrawn()).toBe(true);
    it.under.handlePosition(2_000, 10, true);
    expect(it.isDrawn()).toBe(false);
  });

  it("gives a new connection's pointer the whole time", () => {
    const it = cursor(100);
    it.under.handleOurs({ x: 500, y: 500 });
    it.under.handlePosition(10, 10, true);
    vi.advanceTimersByTime(300);

    it.under.reset();
    it.under.handleShape(ARROW);
    it.under.handlePosition(10, 10, true);
    vi.advanceTimersByTime(340);
    expect(it.isDrawn()).toBe(false);

    vi.advanceTimersByTime(20);
    expect(it.isDrawn()).toBe(true);
  });

  it("is silent after it was closed", () => {
    const it = cursor(100);
    it.under.handlePosition(10, 10, true);

    it.under.close();
    vi.advanceTimersByTime(5_000);

    expect(it.isDrawn()).toBe(false);
  });
});
