import type { CoreEvent } from "./messages.ts";
import type { Screen } from "./screen.ts";

type Shape = Extract<CoreEvent, { type: "cursor_shape" }>;

/** Shapes are small; a desktop has a few dozen. */
const KEPT_SHAPES = 64;
/** The remote pointer has gone its own way when it has disagreed for this long. */
const STRAY_MS = 250;
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
  readonly #shapes = new Map<string, Shape>();
  #shape: Shape | null = null;
  #visible = true;
  #remote: { x: number; y: number } | null = null;
  #ours: { x: number; y: number } | null = null;
  #following = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(screen: Screen, overlay: HTMLCanvasElement) {
    this.#screen = screen;
    this.#overlay = overlay;
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
    if (visible !== this.#visible) {
      this.#visible = visible;
      this.refresh();
    }
    this.#placeOverlay();
  }

  /** Where our own pointer is; `null`: not over the picture. */
  handleOurs(position: { x: number; y: number } | null): void {
    this.#ours = position;
    if (this.#following && position) {
      this.#overlay.hidden = true;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Draws the shape anew: it, the scale or the mode has changed. */
  refresh(): void {
    this.#screen.canvas.style.cursor = this.#cssCursor();
    this.#drawOverlay();
    this.#placeOverlay();
  }

  /** Forgets a connection's shapes. */
  reset(): void {
    this.#shapes.clear();
    this.#shape = null;
    this.#visible = true;
    this.#remote = null;
    this.#overlay.hidden = true;
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
    const { width = 0 } = this.#shape ?? {};
    if (!this.#remote || !this.#visible || width === 0) {
      this.#overlay.hidden = true;
      return;
    }
    // On a display that is not shown.
    const { picture } = this.#screen;
    if (
      this.#remote.x < 0 ||
      this.#remote.y < 0 ||
      this.#remote.x >= picture.width ||
      this.#remote.y >= picture.height
    ) {
      this.#overlay.hidden = true;
      return;
    }
    const shape = this.#shape;
    const scale = this.#screen.cssScale;
    const drawn = Math.max(scale, MIN_SCALE);
    const { offsetLeft, offsetTop } = this.#screen.canvas;
    const left = offsetLeft + this.#remote.x * scale - (shape?.hot_x ?? 0) * drawn;
    const top = offsetTop + this.#remote.y * scale - (shape?.hot_y ?? 0) * drawn;
    this.#overlay.style.transform = `translate(${left}px, ${top}px)`;

    if (!this.#following) {
      this.#overlay.hidden = false;
    } else if (this.#agree()) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#overlay.hidden = true;
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#overlay.hidden = this.#agree() || !this.#visible;
      }, STRAY_MS);
    }
  }

  #agree(): boolean {
    if (!this.#remote) return true;
    if (!this.#ours) return false;
    const near = 2;
    return (
      Math.abs(this.#remote.x - this.#ours.x) <= near &&
      Math.abs(this.#remote.y - this.#ours.y) <= near
    );
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
