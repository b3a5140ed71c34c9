/** How the remote picture lies in the element, and where a point of the page is in the picture. */

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** `fit`: the whole picture is visible. `actual`: one picture pixel on one pixel of the screen. */
export type Scale = "fit" | "actual";

/** A zoom of 8 shows single pixels; more only gets lost. */
const MAX_ZOOM = 8;

/**
 * CSS pixels per picture pixel. `zoom` is the technician's own factor on top (pinch). Fitting
 * never enlarges beyond one CSS pixel: a small desktop stays sharp on a large screen.
 */
export function cssScale(
  picture: Size,
  room: Size,
  scale: Scale,
  zoom: number,
  devicePixelRatio: number,
): number {
  if (scale === "actual") return zoom / devicePixelRatio;
  const fitting = Math.min(room.width / picture.width, room.height / picture.height, 1);
  return Math.max(fitting, 0.01) * zoom;
}

/** Pinching stops at the whole picture and at single pixels. */
export function clampZoom(zoom: number): number {
  return Math.min(Math.max(zoom, 1), MAX_ZOOM);
}

/** The picture pixel under a point of the page; points outside get the nearest one. */
export function toPicture(
  point: Point,
  canvas: { left: number; top: number; width: number; height: number },
  picture: Size,
): Point {
  const x = Math.floor(((point.x - canvas.left) * picture.width) / canvas.width);
  const y = Math.floor(((point.y - canvas.top) * picture.height) / canvas.height);
  return { x: clamp(x, 0, picture.width - 1), y: clamp(y, 0, picture.height - 1) };
}

/**
 * Where to scroll so that the picture's point under the fingers stays under them.
 * `at` is relative to the element's corner.
 */
export function scrollForZoom(scroll: Point, at: Point, factor: number): Point {
  return { x: (scroll.x + at.x) * factor - at.x, y: (scroll.y + at.y) * factor - at.y };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
