import type { CoreEvent } from "./messages.ts";
import type { Screen } from "./screen.ts";
import { StrayPointer } from "./stray.ts";

type Shape = Extract<CoreEvent, { type: "cursor_shape" }>;

/** Shapes are small; a desktop has a few dozen. */
const KEPT_SHAPES = 64;
/** A cursor drawn smaller than this cannot be aimed with. */
const MIN_SCALE = 0.75;
/** Browsers ignore larger CSS cursors. */
const MAX_CSS_PX = 128;

/**
 * The remote pointer. Its shape becomes this browser's own cursor over the picture, so it moves
 * without delay; where the remote pointer moves by itself, a copy is drawn over the picture.
 */
export class RemoteCursor {
  readonly #screen: Screen;
  readonly #overlay: HTMLCanvasElement;
  readonly #roundTripMs: () => number | null;
  readonly #stray = new StrayPointer();
  readonly #shapes = new Map<string, Shape>();
  #shape: Shape | null = null;
  #visible = true;
  #remote: { x: number; y: number } | null = null;
  #following = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `roundTripMs` is asked for what is known of the line now; `null`: nothing. */
  constructor(screen: Screen, overlay: HTMLCanvasElement, roundTripMs: () => number | null) {
    this.#screen = screen;
    this.#overlay = overlay;
    this.#roundTripMs = roundTripMs;
    overlay.hidden = true;
  }

  /** In view-only the browser keeps its own cursor and the remote one is always drawn. */
  setFollowing(following: boolean): void {
    this.#following = following;
    this.refresh();
  }

  handleShape(event: Shape): void {
    const id = String(event.id);
    const shape = event.rgba === null || event.rgba === undefined ? this.#shapes.get(id) : event;
    if (!shape) return;
    this.#shapes.delete(id);
    this.#shapes.set(id, shape);
    if (this.#shapes.size > KEPT_SHAPES) {
      const oldest = this.#shapes.keys().next().value;
      if (oldest !== undefined) this.#shapes.delete(oldest);
    }
    this.#shape = shape;
    this.refresh();
  }

  handlePosition(x: number, y: number, visible: boolean): void {
    this.#remote = { x, y };
    this.#stray.handleRemote(performance.now(), this.#remote);
    if (visible !== this.#visible) {
      this.#visible = visible;
      this.refresh();
    }
    this.#placeOverlay();
  }

  /** Where our own pointer is; `null`: not over the picture. */
  handleOurs(position: { x: number; y: number } | null): void {
    this.#stray.handleOurs(performance.now(), position);
    this.#showOverlay();
  }

  /** Draws the shape anew: it, the scale or the mode has changed. */
  refresh(): void {
    this.#screen.canvas.style.cursor = this.#cssCursor();
    this.#drawOverlay();
    this.#placeOverlay();
  }

  /** Forgets a connection's pointer and shapes. */
  reset(): void {
    this.#shapes.clear();
    this.#shape = null;
    this.#visible = true;
    this.#remote = null;
    this.#stray.reset();
    this.refresh();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #cssCursor(): string {
    if (!this.#following) return "default";
    if (!this.#visible) return "none";
    const shape = this.#shape;
    if (!shape) return "default";
    if (shape.width === 0 || shape.height === 0) return "none";

    const largest = Math.max(shape.width, shape.height);
    const scale = Math.min(Math.max(this.#screen.cssScale, MIN_SCALE), MAX_CSS_PX / largest);
    const ratio = devicePixelRatio;
    const image = document.createElement("canvas");
    image.width = Math.max(1, Math.round(shape.width * scale * ratio));
    image.height = Math.max(1, Math.round(shape.height * scale * ratio));
    const context = image.getContext("2d");
    const source = shapeImage(shape);
    if (!context || !source) return "default";
    context.drawImage(source, 0, 0, image.width, image.height);
    const hot = `${Math.round(shape.hot_x * scale)} ${Math.round(shape.hot_y * scale)}`;
    const url = `url("${image.toDataURL("image/png")}")`;
    // The image has the screen's pixels; image-set says how many make a CSS pixel.
    return ratio === 1 ? `${url} ${hot}, default` : `image-set(${url} ${ratio}x) ${hot}, default`;
  }

  #drawOverlay(): void {
    const shape = this.#shape;
    if (!shape || shape.width === 0 || shape.height === 0) return;
    const source = shapeImage(shape);
    if (!source) return;
    const scale = Math.max(this.#screen.cssScale, MIN_SCALE);
    this.#overlay.width = shape.width;
    this.#overlay.height = shape.height;
    this.#overlay.style.width = `${shape.width * scale}px`;
    this.#overlay.style.height = `${shape.height * scale}px`;
    this.#overlay.getContext("2d")?.drawImage(source, 0, 0);
  }

  #placeOverlay(): void {
    const shape = this.#shape;
    if (this.#remote && shape) {
      const scale = this.#screen.cssScale;
      const drawn = Math.max(scale, MIN_SCALE);
      const { offsetLeft, offsetTop } = this.#screen.canvas;
      const left = offsetLeft + this.#remote.x * scale - shape.hot_x * drawn;
      const top = offsetTop + this.#remote.y * scale - shape.hot_y * drawn;
      this.#overlay.style.transform = `translate(${left}px, ${top}px)`;
    }
    this.#showOverlay();
  }

  /** Shows the copy while it is of use, and looks again when that may have changed by itself. */
  #showOverlay(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waitMs = this.#hasPlace() ? this.#untilDrawnMs() : null;
    this.#overlay.hidden = waitMs === null || waitMs > 0;
    if (waitMs !== null && waitMs > 0) {
      this.#timer = setTimeout(() => this.#showOverlay(), waitMs);
    }
  }

  /** How long the copy is not to be seen yet; `null`: our own cursor is enough. */
  #untilDrawnMs(): number | null {
    if (!this.#following) return 0;
    const at = this.#stray.astrayAt(this.#roundTripMs());
    return at === null ? null : Math.max(0, at - performance.now());
  }

  /** There is something to draw, and it is not on a display that is not shown. */
  #hasPlace(): boolean {
    if (!this.#remote || !this.#visible || !this.#shape || this.#shape.width === 0) return false;
    const { x, y } = this.#remote;
    const { width, height } = this.#screen.picture;
    return x >= 0 && y >= 0 && x < width && y < height;
  }
}

function shapeImage(shape: Shape): HTMLCanvasElement | null {
  const image = document.createElement("canvas");
  image.width = shape.width;
  image.height = shape.height;
  const context = image.getContext("2d");
  const pixels = Uint8ClampedArray.from(atob(shape.rgba ?? ""), (char) => char.charCodeAt(0));
  if (!context || pixels.length !== shape.width * shape.height * 4) return null;
  context.putImageData(new ImageData(pixels, shape.width, shape.height), 0, 0);
  return image;
}
