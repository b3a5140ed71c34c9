import type { Film, FilmFormat } from "../messages.ts";

/**
 * Films: the part of the picture that moves all the time and comes as video. The browser decodes
 * it, in hardware where it can; this module opens and replaces the decoder, and answers every
 * packet exactly once.
 */

export interface FilmHandlers {
  /**
   * The answer to one packet, in the order of the packets; `null` when there is no picture of it.
   * Whoever takes the picture closes it.
   */
  decoded(token: number, image: VideoFrame | null, decodeMs: number): void;
  /**
   * The film stops here. After the first time another decoder is worth trying, with a film that
   * begins anew; after the second this browser shall be sent no films any more.
   */
  failed(attempt: "first" | "second", reason: string): void;
}

/** One open decoder. */
export interface FilmDecoder {
  decode(key: boolean, timestamp: number, data: Uint8Array): void;
  close(): void;
}

/** What films need of WebCodecs; tests have one of their own. */
export interface FilmCodec {
  open(
    config: VideoDecoderConfig,
    onImage: (image: VideoFrame) => void,
    onError: (reason: string) => void,
  ): FilmDecoder;
}

/** 3 s: a decoder that took packets and gave no picture for so long gives none any more. */
const STALLED_MS = 3_000;

/** Level 4.1 carries 1920x1080 at 60 frames a second, 5.1 carries 4K; decoders choose memory by it. */
const LEVELS = [
  { pixels: 2_228_224, level: "41" },
  { pixels: Number.POSITIVE_INFINITY, level: "51" },
];

/** The encoder's colours; without them a browser takes the narrow range, whatever the packets say. */
const COLOURS: VideoColorSpaceInit = {
  primaries: "bt709",
  transfer: "iec61966-2-1",
  matrix: "bt709",
  fullRange: true,
};

/** How a decoder for VP9 pictures of this size is opened. */
export function filmConfig(
  [codedWidth, codedHeight]: Film["coded"],
  hardwareAcceleration: HardwareAcceleration = "no-preference",
): VideoDecoderConfig {
  const level = LEVELS.find(({ pixels }) => codedWidth * codedHeight <= pixels)?.level;
  return {
    codec: `vp09.00.${level}.08`,
    codedWidth,
    codedHeight,
    colorSpace: COLOURS,
    optimizeForLatency: true,
    hardwareAcceleration,
  };
}

/** Asks this browser what it decodes. One without WebCodecs decodes nothing. */
export async function probeFilms(): Promise<FilmFormat[]> {
  if (typeof VideoDecoder === "undefined") return [];
  try {
    const { supported } = await VideoDecoder.isConfigSupported(filmConfig([1_920, 1_080]));
    return supported ? ["vp9"] : [];
  } catch {
    // A browser that does not understand the question.
    return [];
  }
}

/** The browser's own decoders. */
export const webCodecs: FilmCodec = {
  open(config, onImage, onError) {
    const decoder = new VideoDecoder({
      output: onImage,
      error: ({ message }) => onError(message),
    });
    decoder.configure(config);
    return {
      decode(key, timestamp, data) {
        decoder.decode(new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp, data }));
      },
      close() {
        if (decoder.state !== "closed") decoder.close();
      },
    };
  },
};

/** Plays one film after the other, each with a decoder of its own. */
export class FilmPlayer {
  readonly #handlers: FilmHandlers;
  readonly #codec: FilmCodec;
  #decoder: FilmDecoder | null = null;
  /** Of the film that plays, or that failed. */
  #stream: number | null = null;
  #coded = "";
  /** Packets without an answer, oldest first. */
  #pending: { token: number; sinceMs: number }[] = [];
  /** The browser's choice of a decoder failed once: its own program decodes from now on. */
  #careful = false;
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(handlers: FilmHandlers, codec: FilmCodec = webCodecs) {
    this.#handlers = handlers;
    this.#codec = codec;
  }

  /** Packets that wait for their picture. */
  get backlog(): number {
    return this.#pending.length;
  }

  /** Decodes a packet. `token` names it in the answer, and grows from packet to packet. */
  decode(token: number, film: Film, data: Uint8Array): void {
    this.#pending.push({ token, sinceMs: performance.now() });
    try {
      if (film.stream !== this.#stream || this.#beginsAnew(film)) this.#begin(film);
      if (this.#decoder) {
        this.#decoder.decode(film.key, token, data);
        this.#keepWatch();
      } else {
        this.#drop();
      }
    } catch (error) {
      // The browser has no such codec after all, or the decoder broke a moment ago.
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** Gives the decoder back, without any more answers. */
  close(): void {
    this.#pending = [];
    this.#stop();
  }

  /** A machine whose screen changed counts its films from the first again. */
  #beginsAnew({ key, coded }: Film): boolean {
    return key && (this.#decoder === null || coded.join() !== this.#coded);
  }

  /** Another film: what of the last one is not shown yet is not needed any more. */
  #begin(film: Film): void {
    const own = this.#pending.splice(-1);
    this.#stop();
    this.#pending = own;
    this.#stream = film.stream;
    this.#coded = film.coded.join();
    if (film.format !== "vp9") throw new Error("a film in a format that was not asked for");
    if (!film.key) throw new Error("the beginning of a film is missing");
    const config = filmConfig(film.coded, this.#careful ? "prefer-software" : "no-preference");
    const decoder: FilmDecoder = this.#codec.open(
      config,
      (image) => this.#image(decoder, image),
      (reason) => {
        if (this.#decoder === decoder) this.#fail(reason);
      },
    );
    this.#decoder = decoder;
  }

  #image(decoder: FilmDecoder, image: VideoFrame): void {
    const at = this.#pending.findIndex(({ token }) => token === image.timestamp);
    if (this.#decoder !== decoder || at < 0) {
      image.close();
      return;
    }
    const now = performance.now();
    for (const { token, sinceMs } of this.#pending.splice(0, at + 1)) {
      this.#handlers.decoded(token, token === image.timestamp ? image : null, now - sinceMs);
    }
  }

  /** The stream stays as it is: packets that still come of it have no picture. */
  #fail(reason: string): void {
    const attempt = this.#careful ? "second" : "first";
    this.#careful = true;
    this.#stop();
    this.#handlers.failed(attempt, reason);
  }

  #stop(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const decoder = this.#decoder;
    this.#decoder = null;
    decoder?.close();
    this.#drop();
  }

  #drop(): void {
    for (const { token } of this.#pending.splice(0)) this.#handlers.decoded(token, null, 0);
  }

  #keepWatch(): void {
    const [oldest] = this.#pending;
    if (this.#watch !== undefined || !oldest) return;
    const leftMs = Math.max(0, oldest.sinceMs + STALLED_MS - performance.now());
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      const [first] = this.#pending;
      if (first && performance.now() - first.sinceMs >= STALLED_MS) {
        this.#fail("the decoder does not answer");
      } else {
        this.#keepWatch();
      }
    }, leftMs);
  }
}
