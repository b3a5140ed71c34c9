import type { Film, FilmFormat, Frame, Rect } from "../messages.ts";
import type { BufferPool } from "./buffers.ts";
import { type FilmCodec, FilmPlayer, webCodecs } from "./films.ts";

/**
 * What the page has to paint, in this order.
 *
 * `frame` is an update with those of its rectangles that can be painted at once, `tiles` the rest
 * of them when they had to wait for a film below, `film` a picture of the film.
 */
export type Paint =
  | { kind: "frame"; frame: Frame; pixels: ArrayBuffer; decodeMs: number }
  | { kind: "tiles"; sequence: number; rects: Rect[]; pixels: ArrayBuffer }
  | { kind: "film"; frame: Frame; film: Film; image: VideoFrame; decodeMs: number };

export interface PicturesHandlers {
  paint(paint: Paint): void;
  /** Everything of this update is on the page's canvas, or never will be. */
  painted(sequence: number): void;
  /** As `FilmHandlers.failed`. */
  filmFailed(attempt: "first" | "second", format: FilmFormat, reason: string): void;
}

/** Parts that wait at once; a film's decoder is given up long before. */
const MAX_WAITING = 256;

/** Rectangles that are looked at one by one; more wait for whatever they are around. */
const MAX_LOOKED_AT = 512;

/** A part of an update that waits for an earlier one below it, or to be decoded. */
type Waiting =
  | {
      kind: "film";
      sequence: number;
      rects: readonly Rect[];
      frame: Frame;
      film: Film;
      token: number;
      /** Undefined until the decoder has answered; then a picture or none. */
      image: VideoFrame | null | undefined;
      decodeMs: number;
    }
  | {
      kind: "tiles";
      sequence: number;
      /** Around its tiles. */
      rects: readonly Rect[];
      tiles: Rect[];
      pixels: ArrayBuffer;
    };

/**
 * Puts films and tiles in the order in which they were made. The browser decodes films in its own
 * time; only what overlaps a picture that is still being decoded waits for it.
 */
export class Pictures {
  readonly #handlers: PicturesHandlers;
  readonly #buffers: BufferPool;
  readonly #player: FilmPlayer;
  #waiting: Waiting[] = [];
  #token = 0;
  /** How many parts of an update are not on the canvas yet. */
  readonly #unpainted = new Map<number, number>();

  constructor(handlers: PicturesHandlers, buffers: BufferPool, codec: FilmCodec = webCodecs) {
    this.#handlers = handlers;
    this.#buffers = buffers;
    this.#player = new FilmPlayer(
      {
        decoded: (token, image, decodeMs) => this.#decoded(token, image, decodeMs),
        failed: (attempt, format, reason) => handlers.filmFailed(attempt, format, reason),
      },
      codec,
    );
  }

  /** One update: `pixels` of its rectangles, one after the other, and the packet of its film. Both are copied. */
  handleFrame(frame: Frame, pixels: Uint8Array, packet: Uint8Array, decodeMs: number): void {
    const { sequence, film } = frame;
    const count = this.#waiting.length;
    // A machine that keeps to the protocol has waited for us long before.
    if (count >= MAX_WAITING) throw new Error("the machine sends more than can be painted");
    const all = frame.rects.length > MAX_LOOKED_AT && this.#covered([around(frame.rects)], count);
    const late = all ? frame.rects : this.#waitingOf(frame.rects, count);
    const inOnePart = late.length === 0;
    this.#unpainted.set(sequence, 1 + (inOnePart ? 0 : 1) + (film ? 1 : 0));

    if (inOnePart) {
      this.#handlers.paint({ kind: "frame", frame, pixels: this.#buffers.copy(pixels), decodeMs });
    } else {
      const early = frame.rects.filter((rect) => !late.includes(rect));
      this.#handlers.paint({
        kind: "frame",
        frame: { ...frame, rects: early },
        pixels: pick(frame.rects, early, pixels),
        decodeMs,
      });
      this.#waiting.push({
        kind: "tiles",
        sequence,
        rects: [around(late)],
        tiles: late,
        pixels: pick(frame.rects, late, pixels),
      });
    }

    if (!film) return;
    this.#token += 1;
    const token = this.#token;
    const { rects } = film;
    this.#waiting.push({
      kind: "film",
      sequence,
      rects,
      frame,
      film,
      token,
      image: undefined,
      decodeMs: 0,
    });
    // A copy: before the player has handed the packet on, its answers to earlier packets may call
    // the core, whose memory can grow or be written anew under a view. It is a few kilobytes.
    this.#player.decode(token, film, packet.slice());
  }

  /** The page has painted one part of this update. */
  handlePainted(sequence: number): void {
    const left = this.#unpainted.get(sequence);
    if (left === undefined) return;
    if (left > 1) {
      this.#unpainted.set(sequence, left - 1);
      return;
    }
    this.#unpainted.delete(sequence);
    this.#handlers.painted(sequence);
  }

  /** Gives decoder and pictures back. */
  close(): void {
    this.#player.close();
    for (const part of this.#waiting) if (part.kind === "film") part.image?.close();
    this.#waiting = [];
    this.#unpainted.clear();
  }

  #decoded(token: number, image: VideoFrame | null, decodeMs: number): void {
    const part = this.#waiting.find((other) => other.kind === "film" && other.token === token);
    if (part?.kind !== "film") {
      image?.close();
      return;
    }
    part.image = image;
    part.decodeMs = decodeMs;
    this.#settle();
  }

  /** Paints what waits for nothing any more, oldest first. */
  #settle(): void {
    for (let index = 0; index < this.#waiting.length; ) {
      const part = this.#waiting[index];
      const undecided = part?.kind === "film" && part.image === undefined;
      if (!part || undecided || this.#covered(part.rects, index)) {
        index += 1;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.#paint(part);
    }
  }

  #paint(part: Waiting): void {
    const { sequence } = part;
    if (part.kind === "tiles") {
      const { tiles, pixels } = part;
      this.#handlers.paint({ kind: "tiles", sequence, rects: tiles, pixels });
    } else if (part.image) {
      const { frame, film, image, decodeMs } = part;
      this.#handlers.paint({ kind: "film", frame, film, image, decodeMs });
    } else {
      this.handlePainted(sequence);
    }
  }

  /** Those of `rects` that lie over what waits. */
  #waitingOf(rects: Rect[], count: number): Rect[] {
    if (count === 0 || rects.length > MAX_LOOKED_AT) return [];
    return rects.filter((rect) => this.#covered([rect], count));
  }

  /** Whether one of the first `count` waiting parts lies below one of `rects`. */
  #covered(rects: readonly Rect[], count: number): boolean {
    return this.#waiting
      .slice(0, count)
      .some((part) => part.rects.some((below) => rects.some((rect) => overlap(rect, below))));
  }
}

/** The smallest rectangle around `rects`. */
function around(rects: readonly Rect[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const [x, y, width, height] of rects) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return rects.length > 0 ? [left, top, right - left, bottom - top] : [0, 0, 0, 0];
}

function overlap([ax, ay, aw, ah]: Rect, [bx, by, bw, bh]: Rect): boolean {
  return ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah;
}

/** The pixels of `wanted`, which are some of `rects`, one after the other. */
function pick(rects: readonly Rect[], wanted: readonly Rect[], pixels: Uint8Array): ArrayBuffer {
  const length = ([, , width, height]: Rect) => width * height * 4;
  const picked = new Uint8Array(wanted.reduce((sum, rect) => sum + length(rect), 0));
  let [from, to] = [0, 0];
  for (const rect of rects) {
    const end = from + length(rect);
    if (wanted.includes(rect)) {
      picked.set(pixels.subarray(from, end), to);
      to += end - from;
    }
    from = end;
  }
  return picked.buffer;
}
