import {
  cssScale,
  type Point,
  type Scale,
  type Size,
  scrollForZoom,
  toPicture,
} from "./geometry.ts";
import type { Film, Moves, Rect } from "./messages.ts";

/**
 * The canvas with the remote picture. Its pixels are the picture's, its CSS size is what the
 * technician chose. Only changed rectangles are ever touched.
 */
export class Screen {
  readonly canvas: HTMLCanvasElement;
  /** The element that scrolls when the picture is larger than its room. */
  readonly viewport: HTMLElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #resize: ResizeObserver;
  readonly #onScaled: () => void;
  #picture: Size = { width: 1, height: 1 };
  #scale: Scale = "fit";
  #zoom = 1;

  constructor(viewport: HTMLElement, canvas: HTMLCanvasElement, onScaled: () => void) {
    this.viewport = viewport;
    this.canvas = canvas;
    this.#onScaled = onScaled;
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser has no 2D canvas");
    this.#context = context;
    this.#resize = new ResizeObserver(() => this.#arrange());
    this.#resize.observe(viewport);
  }

  get picture(): Size {
    return this.#picture;
  }

  /** CSS pixels per picture pixel. */
  get cssScale(): number {
    return cssScale(this.#picture, this.#room(), this.#scale, this.#zoom, devicePixelRatio);
  }

  get zoom(): number {
    return this.#zoom;
  }

  /** True when there is something to scroll to. */
  get overflows(): boolean {
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = this.viewport;
    return scrollWidth > clientWidth || scrollHeight > clientHeight;
  }

  /** A new size clears the canvas; the same size keeps the picture, for a reconnect. */
  setPicture(picture: Size): void {
    if (picture.width === this.#picture.width && picture.height === this.#picture.height) return;
    this.#picture = picture;
    this.canvas.width = picture.width;
    this.canvas.height = picture.height;
    this.#arrange();
  }

  setScale(scale: Scale): void {
    this.#scale = scale;
    this.#zoom = 1;
    this.#arrange();
  }

  /** Zooms so that the point `at` of the page stays where it is. */
  zoomTo(zoom: number, at: Point): void {
    const factor = zoom / this.#zoom;
    const corner = this.viewport.getBoundingClientRect();
    const scroll = scrollForZoom(
      { x: this.viewport.scrollLeft, y: this.viewport.scrollTop },
      { x: at.x - corner.left, y: at.y - corner.top },
      factor,
    );
    this.#zoom = zoom;
    this.#arrange();
    this.viewport.scrollTo(scroll.x, scroll.y);
  }

  panBy(dx: number, dy: number): void {
    this.viewport.scrollBy(dx, dy);
  }

  toPicture(point: Point): Point {
    return toPicture(point, this.canvas.getBoundingClientRect(), this.#picture);
  }

  /** Puts rectangles on the canvas. Their pixels stand one after the other. */
  paint(rects: readonly Rect[], pixels: ArrayBuffer): void {
    let offset = 0;
    for (const [x, y, width, height] of rects) {
      const length = width * height * 4;
      const image = new ImageData(new Uint8ClampedArray(pixels, offset, length), width, height);
      this.#context.putImageData(image, x, y);
      offset += length;
    }
  }

  /** Copies parts of the picture to another height. */
  move({ from_dy, rects }: Moves): void {
    for (const [x, y, width, height] of rects) {
      this.#context.drawImage(this.canvas, x, y + from_dy, width, height, x, y, width, height);
    }
  }

  /** Puts a film's picture on the canvas, only where it is to be seen. */
  paintFilm({ area, coded, rects }: Film, image: VideoFrame): void {
    const context = this.#context;
    const [x, y, width, height] = area;
    context.save();
    context.beginPath();
    for (const rect of rects) context.rect(...rect);
    context.clip();
    // A film of the area's own size is shown as it is; a smaller one is stretched, softly.
    context.imageSmoothingEnabled = coded[0] !== width || coded[1] !== height;
    context.drawImage(image, x, y, width, height);
    context.restore();
  }

  close(): void {
    this.#resize.disconnect();
  }

  #room(): Size {
    // Of the border box: a scroll bar that comes and goes must not change what fits.
    return { width: this.viewport.offsetWidth, height: this.viewport.offsetHeight };
  }

  #arrange(): void {
    const scale = this.cssScale;
    const { style } = this.canvas;
    style.width = `${this.#picture.width * scale}px`;
    style.height = `${this.#picture.height * scale}px`;
    // Enlarged pixels are shown as pixels; reduced ones are averaged.
    style.imageRendering = scale * devicePixelRatio >= 2 ? "pixelated" : "auto";
    this.#onScaled();
  }
}
