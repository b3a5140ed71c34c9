import { clampZoom, type Point } from "./geometry.ts";
import { MoveThrottle } from "./moves.ts";
import type { Screen } from "./screen.ts";
import { TouchGestures } from "./touch.ts";
import { WheelAccumulator } from "./wheel.ts";

export interface PointerSink {
  pointer(position: Point, buttons: number): void;
  wheel(position: Point, dx: number, dy: number): void;
  releaseAll(): void;
  /** Our pointer in the picture; `null`: it has left. */
  hovered(position: Point | null): void;
  /** The technician pressed on the picture: it should have the keyboard. */
  pressed(pointerType: string): void;
}

/** 1 %: how much a touchpad's pinch step zooms per reported pixel. */
const PINCH_STEP = 0.01;

/** Mouse, pen and touch over the picture, and the wheel. */
export class PointerInput {
  readonly #screen: Screen;
  readonly #sink: PointerSink;
  readonly #controlHeld: () => boolean;
  readonly #abort = new AbortController();
  readonly #moves: MoveThrottle;
  readonly #wheel = new WheelAccumulator();
  readonly #touch: TouchGestures;
  #buttons = 0;

  /** `bytesPerSecond`: what the line carries now; 0 while unknown. */
  constructor(
    screen: Screen,
    sink: PointerSink,
    controlHeld: () => boolean,
    bytesPerSecond: () => number,
  ) {
    this.#screen = screen;
    this.#sink = sink;
    this.#controlHeld = controlHeld;
    this.#moves = new MoveThrottle(
      (position, buttons) => sink.pointer(position, buttons),
      bytesPerSecond,
    );
    this.#touch = new TouchGestures({
      pointer: (at, buttons) => this.#send(screen.toPicture(at), buttons),
      scroll: (at, dx, dy) => this.#scrollByTouch(at, dx, dy),
      zoom: (factor, at) => screen.zoomTo(clampZoom(screen.zoom * factor), at),
      cancelled: () => sink.releaseAll(),
    });

    const { canvas } = screen;
    const options = { signal: this.#abort.signal };
    const active = { signal: this.#abort.signal, passive: false };
    canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
    canvas.addEventListener("pointermove", (event) => this.#move(event), options);
    canvas.addEventListener("pointerup", (event) => this.#up(event), options);
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event), options);
    canvas.addEventListener("pointerleave", () => sink.hovered(null), options);
    canvas.addEventListener("wheel", (event) => this.#wheeled(event), active);
    canvas.addEventListener("contextmenu", (event) => event.preventDefault(), options);
    canvas.addEventListener("dragstart", (event) => event.preventDefault(), options);
    // Keeps the focus where `pressed` puts it, and the back button from leaving the page.
    for (const type of ["mousedown", "mouseup", "auxclick"] as const) {
      canvas.addEventListener(type, (event) => event.preventDefault(), options);
    }
  }

  /** Forgets what is pressed: the machine has been told to release everything. */
  reset(): void {
    this.#buttons = 0;
    this.#moves.cancel();
    this.#touch.reset();
  }

  close(): void {
    this.#abort.abort();
    this.reset();
  }

  #down(event: PointerEvent): void {
    this.#capture(event);
    this.#sink.pressed(event.pointerType);
    if (event.pointerType === "touch") this.#touch.down(event.pointerId, pagePoint(event));
    else this.#mouse(event);
  }

  #move(event: PointerEvent): void {
    if (event.pointerType === "touch") {
      this.#touch.move(event.pointerId, pagePoint(event));
      return;
    }
    // With one button down, others come and go in moves.
    if (event.buttons !== this.#buttons) {
      this.#mouse(event);
      return;
    }
    const position = this.#screen.toPicture(pagePoint(event));
    this.#sink.hovered(position);
    this.#moves.move(performance.now(), position, event.buttons);
  }

  #up(event: PointerEvent): void {
    if (event.pointerType === "touch") this.#touch.up(event.pointerId, pagePoint(event));
    else this.#mouse(event);
  }

  #cancel(event: PointerEvent): void {
    if (event.pointerType === "touch") {
      this.#touch.cancel();
      return;
    }
    this.reset();
    this.#sink.releaseAll();
  }

  #mouse(event: PointerEvent): void {
    this.#buttons = event.buttons;
    const position = this.#screen.toPicture(pagePoint(event));
    this.#sink.hovered(position);
    this.#send(position, event.buttons);
  }

  #send(position: Point, buttons: number): void {
    this.#moves.button(performance.now(), position, buttons);
  }

  #wheeled(event: WheelEvent): void {
    event.preventDefault();
    const at = pagePoint(event);
    // A pinch on a touchpad is reported as a wheel with a Control key that nobody holds.
    if (event.ctrlKey && !this.#controlHeld()) {
      const factor = Math.exp(-event.deltaY * PINCH_STEP);
      this.#screen.zoomTo(clampZoom(this.#screen.zoom * factor), at);
      return;
    }
    const { dx, dy } = this.#wheel.add(event);
    if (dx !== 0 || dy !== 0) this.#sink.wheel(this.#screen.toPicture(at), dx, dy);
  }

  /** Two fingers move an enlarged picture; where all of it is visible they scroll the machine. */
  #scrollByTouch(at: Point, dx: number, dy: number): void {
    if (this.#screen.overflows) {
      this.#screen.panBy(dx, dy);
      return;
    }
    const units = this.#wheel.add({ deltaX: dx, deltaY: dy, deltaMode: 0 });
    if (units.dx !== 0 || units.dy !== 0) {
      this.#sink.wheel(this.#screen.toPicture(at), units.dx, units.dy);
    }
  }

  /** A drag goes on outside the picture. */
  #capture(event: PointerEvent): void {
    try {
      this.#screen.canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is already gone again.
    }
  }
}

function pagePoint(event: MouseEvent): Point {
  return { x: event.clientX, y: event.clientY };
}
