import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MoveThrottle, moveIntervalMs } from "./moves.ts";
import { TouchGestures } from "./touch.ts";
import { WheelAccumulator } from "./wheel.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Nothing is known of the line. */
const UNKNOWN = () => 0;

describe("MoveThrottle", () => {
  it("sends the first move at once, thins out the rest and never loses the last", () => {
    const sent: number[] = [];
    const moves = new MoveThrottle(({ x }) => sent.push(x), UNKNOWN);

    for (let x = 1; x <= 5; x += 1) moves.move(performance.now(), { x, y: 0 }, 0);
    expect(sent).toEqual([1]);
    vi.advanceTimersByTime(8);

    expect(sent).toEqual([1, 5]);
  });

  it("sends a button at once, at its own place, and no older move after it", () => {
    const sent: [number, number][] = [];
    const moves = new MoveThrottle(({ x }, buttons) => sent.push([x, buttons]), UNKNOWN);

    moves.move(performance.now(), { x: 1, y: 0 }, 0);
    moves.move(performance.now(), { x: 2, y: 0 }, 0);
    moves.button(performance.now(), { x: 3, y: 0 }, 1);
    vi.advanceTimersByTime(100);

    expect(sent).toEqual([
      [1, 0],
      [3, 1],
    ]);
  });

  it("leaves a slow line to clicks and keys, as soon as it is known to be slow", () => {
    const sent: number[] = [];
    let bytesPerSecond = 0;
    const moves = new MoveThrottle(
      ({ x }) => sent.push(x),
      () => bytesPerSecond,
    );
    const moveFor = (steps: number) => {
      for (let step = 0; step < steps; step += 1) {
        moves.move(performance.now(), { x: step, y: 0 }, 0);
        vi.advanceTimersByTime(1);
      }
      vi.advanceTimersByTime(100);
      return sent.splice(0).length;
    };
    expect(moveFor(1_000)).toBeGreaterThan(100);

    bytesPerSecond = 8_000;

    // 18 of them are a quarter of the line; the first and the last one go anyway.
    expect(moveFor(1_000)).toBeLessThanOrEqual(20);
  });

  it("does not let a button wait on a slow line", () => {
    const sent: number[] = [];
    const moves = new MoveThrottle(
      ({ x }) => sent.push(x),
      () => 1_000,
    );

    moves.move(performance.now(), { x: 1, y: 0 }, 0);
    moves.move(performance.now(), { x: 2, y: 0 }, 0);
    moves.button(performance.now(), { x: 3, y: 0 }, 1);

    expect(sent).toEqual([1, 3]);
  });

  it.each([
    ["unknown", 0, 8],
    ["a fast line", 10_000_000, 8],
    ["256 kbit/s", 32_000, 13.75],
    ["64 kbit/s", 8_000, 55],
    ["next to nothing", 100, 60],
  ])("uses a quarter of the line at most: %s", (_, bytesPerSecond, intervalMs) => {
    expect(moveIntervalMs(bytesPerSecond)).toBe(intervalMs);
  });
});

describe("WheelAccumulator", () => {
  it.each([
    ["pixels", { deltaX: 0, deltaY: 100, deltaMode: 0 }],
    ["lines", { deltaX: 0, deltaY: 3, deltaMode: 1 }],
  ])("understands a notch in %s", (_, event) => {
    expect(new WheelAccumulator().add(event)).toEqual({ dx: 0, dy: 120 });
  });

  it("scrolls several notches for a page", () => {
    expect(new WheelAccumulator().add({ deltaX: 0, deltaY: -1, deltaMode: 2 }).dy).toBe(-360);
  });

  it("adds up the small steps of a touchpad", () => {
    const wheel = new WheelAccumulator();

    const steps = Array.from(
      { length: 10 },
      () => wheel.add({ deltaX: 0.5, deltaY: -1, deltaMode: 0 }).dy,
    );

    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(-12);
  });
});

describe("TouchGestures", () => {
  function fingers() {
    const story: string[] = [];
    const gestures = new TouchGestures({
      pointer: ({ x, y }, buttons) => story.push(`${x},${y}:${buttons}`),
      scroll: (_, dx, dy) => {
        if (dx !== 0 || dy !== 0) story.push(`scroll ${dx},${dy}`);
      },
      zoom: (factor) => story.push(`zoom ${factor.toFixed(2)}`),
      cancelled: () => story.push("cancelled"),
    });
    return { gestures, story };
  }

  it("clicks on a tap", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 10, y: 20 });
    gestures.move(1, { x: 12, y: 21 });
    gestures.up(1, { x: 12, y: 21 });

    expect(story).toEqual(["10,20:0", "10,20:1", "10,20:0"]);
  });

  it("right-clicks on a long press", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 10, y: 20 });
    vi.advanceTimersByTime(600);
    gestures.up(1, { x: 10, y: 20 });

    expect(story).toEqual(["10,20:0", "10,20:2", "10,20:0"]);
  });

  it("drags from where the finger went down", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 10, y: 20 });
    gestures.move(1, { x: 40, y: 20 });
    gestures.up(1, { x: 50, y: 20 });

    expect(story).toEqual(["10,20:0", "10,20:1", "40,20:1", "50,20:0"]);
  });

  it("scrolls with two fingers, in their direction, without clicking", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 0, y: 100 });
    gestures.down(2, { x: 100, y: 100 });
    gestures.move(1, { x: 0, y: 90 });
    gestures.move(2, { x: 100, y: 90 });
    gestures.up(1, { x: 0, y: 90 });
    gestures.up(2, { x: 100, y: 90 });

    expect(story).toEqual(["scroll 0,5", "scroll 0,5"]);
  });

  it("zooms when two fingers spread", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 0, y: 0 });
    gestures.down(2, { x: 100, y: 0 });
    gestures.move(2, { x: 200, y: 0 });

    expect(story).toContain("zoom 2.00");
  });

  it("releases the button when a second finger ends a drag", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 0, y: 0 });
    gestures.move(1, { x: 50, y: 0 });
    gestures.down(2, { x: 100, y: 0 });

    expect(story.at(-1)).toBe("50,0:0");
  });

  it("asks to release everything when the system takes the fingers away", () => {
    const { gestures, story } = fingers();

    gestures.down(1, { x: 0, y: 0 });
    gestures.cancel();
    vi.advanceTimersByTime(600);

    expect(story).toEqual(["cancelled"]);
  });
});
