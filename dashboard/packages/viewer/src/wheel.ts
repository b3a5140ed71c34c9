/** A mouse wheel's notch, in the units that the machine gets. */
export const NOTCH = 120;

/** Browsers give about 100 CSS pixels, or three lines, for a notch. */
const PIXELS_A_NOTCH = 100;
const LINES_A_NOTCH = 3;
/** A page is what a few notches scroll. */
const NOTCHES_A_PAGE = 3;

/** Adds up what wheels and touchpads report and gives out whole 1/120 notches. */
export class WheelAccumulator {
  #x = 0;
  #y = 0;

  add(event: Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode">): { dx: number; dy: number } {
    const factor = unitsPerDelta(event.deltaMode);
    this.#x = tidy(this.#x + event.deltaX * factor);
    this.#y = tidy(this.#y + event.deltaY * factor);
    const dx = Math.trunc(this.#x);
    const dy = Math.trunc(this.#y);
    this.#x -= dx;
    this.#y -= dy;
    return { dx, dy };
  }
}

/** Without the dust of binary fractions, which would hold back a whole unit. */
function tidy(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function unitsPerDelta(deltaMode: number): number {
  if (deltaMode === 1) return NOTCH / LINES_A_NOTCH;
  if (deltaMode === 2) return NOTCH * NOTCHES_A_PAGE;
  return NOTCH / PIXELS_A_NOTCH;
}
