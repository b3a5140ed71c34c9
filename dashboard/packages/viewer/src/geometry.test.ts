import { describe, expect, it } from "vitest";
import { clampZoom, cssScale, scrollForZoom, toPicture } from "./geometry.ts";

const PICTURE = { width: 1920, height: 1080 };

describe("cssScale", () => {
  it("shows the whole picture when it fits", () => {
    expect(cssScale(PICTURE, { width: 960, height: 900 }, "fit", 1, 1)).toBe(0.5);
    expect(cssScale(PICTURE, { width: 1920, height: 540 }, "fit", 1, 1)).toBe(0.5);
  });

  it("does not enlarge a small desktop", () => {
    expect(cssScale({ width: 800, height: 600 }, { width: 3000, height: 2000 }, "fit", 1, 1)).toBe(
      1,
    );
  });

  it("shows one picture pixel on one screen pixel at actual size", () => {
    expect(cssScale(PICTURE, { width: 100, height: 100 }, "actual", 1, 2)).toBe(0.5);
  });
});

describe("toPicture", () => {
  const canvas = { left: 100, top: 50, width: 960, height: 540 };

  it("finds the picture's pixel under a point", () => {
    expect(toPicture({ x: 100, y: 50 }, canvas, PICTURE)).toEqual({ x: 0, y: 0 });
    expect(toPicture({ x: 580, y: 320 }, canvas, PICTURE)).toEqual({ x: 960, y: 540 });
    expect(toPicture({ x: 1059.9, y: 589.9 }, canvas, PICTURE)).toEqual({ x: 1919, y: 1079 });
  });

  it("keeps a drag outside the picture at its edge", () => {
    expect(toPicture({ x: 5000, y: -20 }, canvas, PICTURE)).toEqual({ x: 1919, y: 0 });
  });
});

describe("zooming", () => {
  it("keeps what is under the fingers under the fingers", () => {
    const scroll = scrollForZoom({ x: 100, y: 40 }, { x: 200, y: 60 }, 2);

    expect(scroll).toEqual({ x: 400, y: 140 });
  });

  it("stops at the whole picture and at single pixels", () => {
    expect(clampZoom(0.2)).toBe(1);
    expect(clampZoom(100)).toBe(8);
  });
});
