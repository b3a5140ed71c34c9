// Windows of programs on the X11 desktop, asked from the X server and never from our own picture.

import type { Desktop } from "../../../scripts/lib/desktop.mjs";
import { until } from "../../../scripts/lib/processes.mjs";

/** A window's contents on the screen, in pixels. */
export interface Place {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Waits for a visible window with that title. */
export async function windowTitled(desktop: Desktop, title: string): Promise<Place> {
  return until(`a window called ${title}`, () => {
    const [id] = desktop
      .ask("xdotool", ["search", "--onlyvisible", "--name", title])
      .trim()
      .split("\n");
    return id ? placeOf(desktop, id) : undefined;
  });
}

export function placeOf(desktop: Desktop, id: string): Place {
  // xdotool's own answer counts the window manager's frame twice.
  const text = desktop.ask("xwininfo", ["-id", id]);
  const value = (name: string) => Number(new RegExp(`${name}: +(-?\\d+)`).exec(text)?.[1]);
  return {
    id,
    x: value("Absolute upper-left X"),
    y: value("Absolute upper-left Y"),
    width: value("Width"),
    height: value("Height"),
  };
}

export function middleOf({ x, y, width, height }: Place): { x: number; y: number } {
  return { x: x + Math.floor(width / 2), y: y + Math.floor(height / 2) };
}
