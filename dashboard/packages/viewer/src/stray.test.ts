import { describe, expect, it } from "vitest";
import { StrayPointer } from "./stray.ts";

const AT = { x: 100, y: 100 };
const THERE = { x: 400, y: 300 };

describe("StrayPointer", () => {
  it.each([
    ["unknown", null, 250],
    ["short", 20, 270],
    ["long", 600, 850],
  ])("waits for the answer of a line whose round trip is %s", (_, roundTripMs, patienceMs) => {
    const pointer = new StrayPointer();
    pointer.handleRemote(0, AT);

    pointer.handleOurs(1_000, THERE);

    expect(pointer.astrayAt(roundTripMs)).toBe(1_000 + patienceMs);
  });

  it("shows no second pointer after a move, although its places arrive late", () => {
    const pointer = new StrayPointer();
    const roundTripMs = 600;
    pointer.handleRemote(0, { x: 0, y: 0 });

    // A second of moving; the machine says each place again a round trip later.
    for (let now = 0; now <= 2_000; now += 10) {
      if (now <= 1_000) pointer.handleOurs(now, { x: now, y: 0 });
      const answered = now - roundTripMs;
      if (answered >= 0 && answered <= 1_000) pointer.handleRemote(now, { x: answered, y: 0 });
      expect(pointer.astrayAt(roundTripMs) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
    }

    expect(pointer.astrayAt(roundTripMs)).toBeNull();
  });

  it("notices a pointer that another hand moves, and does not wait again for each of its steps", () => {
    const pointer = new StrayPointer();
    pointer.handleOurs(0, AT);
    pointer.handleRemote(20, AT);
    expect(pointer.astrayAt(20)).toBeNull();

    for (let step = 1; step <= 10; step += 1) {
      pointer.handleRemote(1_000 + step * 50, { x: 100 + step * 10, y: 100 });
    }

    expect(pointer.astrayAt(20)).toBe(1_050 + 270);
  });

  it("begins to wait anew with each move of ours", () => {
    const pointer = new StrayPointer();
    pointer.handleRemote(0, THERE);
    pointer.handleOurs(100, AT);

    pointer.handleOurs(200, { x: 110, y: 100 });

    expect(pointer.astrayAt(0)).toBe(450);
  });

  it("takes a neighbouring pixel for the same place", () => {
    const pointer = new StrayPointer();
    pointer.handleOurs(0, AT);

    pointer.handleRemote(10, { x: 102, y: 98 });
    expect(pointer.astrayAt(0)).toBeNull();

    pointer.handleRemote(20, { x: 103, y: 100 });
    expect(pointer.astrayAt(0)).toBe(270);
  });

  it("counts the remote pointer as astray while ours is not over the picture", () => {
    const pointer = new StrayPointer();
    pointer.handleOurs(0, AT);
    pointer.handleRemote(10, AT);

    pointer.handleOurs(1_000, null);

    expect(pointer.astrayAt(0)).toBe(1_250);
  });

  it("knows nothing of the last connection's pointer", () => {
    const pointer = new StrayPointer();
    pointer.handleOurs(0, AT);
    pointer.handleRemote(10, THERE);

    pointer.reset();

    expect(pointer.astrayAt(0)).toBeNull();
    pointer.handleRemote(5_000, THERE);
    expect(pointer.astrayAt(0)).toBe(5_250);
  });
});
