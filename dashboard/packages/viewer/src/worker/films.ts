import type { Film, FilmFormat } from "../messages.ts";
import { FORMATS } from "./core.ts";

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
   * The film stops here. After a format's first time another decoder is worth trying, with a film
   * that begins anew; after the second this browser shall be sent no films of it any more. What
   * played well for long after its first time has it before it again.
   */
  failed(attempt: "first" | "second", format: FilmFormat, reason: string): void;
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

/** 10 s of a film: after so many pictures a failure is forgiven, as at the machine's side. */
const FORGIVEN_AFTER_PICTURES = 300;

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

/** Constrained baseline of level 4.1, which carries 1920x1080. */
const USUAL_H264 = "avc1.42E029";

/** How a decoder for a film whose first packet is `packet` is opened. */
export function filmConfig(
  { format, coded: [codedWidth, codedHeight] }: Pick<Film, "format" | "coded">,
  packet: Uint8Array | null = null,
  hardwareAcceleration: HardwareAcceleration = "no-preference",
): VideoDecoderConfig {
  const level = LEVELS.find(({ pixels }) => codedWidth * codedHeight <= pixels)?.level;
  const codecs: Record<FilmFormat, string> = {
    vp9: `vp09.00.${level}.08`,
    // What the second profile leaves open is said: 4:4:4, and the colours below by their numbers.
    vp9_full_chroma: `vp09.01.${level}.08.03.01.13.01.01`,
    h264: (packet && h264Codec(packet)) ?? USUAL_H264,
  };
  return {
    codec: codecs[format],
    codedWidth,
    codedHeight,
    colorSpace: COLOURS,
    optimizeForLatency: true,
    hardwareAcceleration,
  };
}

/**
 * What an H.264 stream calls itself: profile, constraints and level of its parameters, the bytes
 * behind the start code and the type of the unit. Without a description of another kind in the
 * configuration, browsers expect Annex B, which this is.
 */
export function h264Codec(packet: Uint8Array): string | null {
  const SEQUENCE_PARAMETERS = 7;
  for (let at = 0; at + 6 < packet.length; at += 1) {
    const starts = packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1;
    if (!starts || ((packet[at + 3] ?? 0) & 0x1f) !== SEQUENCE_PARAMETERS) continue;
    const hex = [...packet.subarray(at + 4, at + 7)].map((byte) =>
      byte.toString(16).padStart(2, "0").toUpperCase(),
    );
    return `avc1.${hex.join("")}`;
  }
  return null;
}

/** Asks this browser what it decodes. One without WebCodecs decodes nothing. */
export async function probeFilms(): Promise<FilmFormat[]> {
  if (typeof VideoDecoder === "undefined") return [];
  const decodes = async (format: FilmFormat) => {
    try {
      const config = filmConfig({ format, coded: [1_920, 1_080] });
      return (await VideoDecoder.isConfigSupported(config)).supported === true;
    } catch {
      // A browser that does not understand the question.
      return false;
    }
  };
  const answers = await Promise.all(FORMATS.map(decodes));
  return FORMATS.filter((_, index) => answers[index]);
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
  #format: FilmFormat = "vp9";
  #coded = "";
  /** Packets without an answer, oldest first. */
  #pending: { token: number; sinceMs: number }[] = [];
  /** The browser's choice of a decoder failed once for these: its own program decodes from now on. */
  readonly #careful = new Set<FilmFormat>();
  /** Pictures since a format's failure, for those that have one which is not forgiven. */
  readonly #sinceFailure = new Map<FilmFormat, number>();
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
      if (film.stream !== this.#stream || this.#beginsAnew(film)) this.#begin(film, data);
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
  #beginsAnew({ key, coded, format }: Film): boolean {
    const fits = coded.join() === this.#coded && format === this.#format;
    return key && (this.#decoder === null || !fits);
  }

  /** Another film: what of the last one is not shown yet is not needed any more. */
  #begin(film: Film, packet: Uint8Array): void {
    const own = this.#pending.splice(-1);
    this.#stop();
    this.#pending = own;
    this.#stream = film.stream;
    this.#coded = film.coded.join();
    this.#format = film.format;
    if (!film.key) throw new Error("the beginning of a film is missing");
    const careful = this.#careful.has(film.format);
    const config = filmConfig(film, packet, careful ? "prefer-software" : "no-preference");
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
    this.#forgive();
    const now = performance.now();
    for (const { token, sinceMs } of this.#pending.splice(0, at + 1)) {
      this.#handlers.decoded(token, token === image.timestamp ? image : null, now - sinceMs);
    }
  }

  /** One more picture of the film's format: what happens once in hours is no broken decoder. */
  #forgive(): void {
    const pictures = this.#sinceFailure.get(this.#format);
    if (pictures === undefined) return;
    if (pictures + 1 < FORGIVEN_AFTER_PICTURES) {
      this.#sinceFailure.set(this.#format, pictures + 1);
    } else {
      this.#sinceFailure.delete(this.#format);
    }
  }

  /** The stream stays as it is: packets that still come of it have no picture. */
  #fail(reason: string): void {
    const format = this.#format;
    const attempt = this.#sinceFailure.has(format) ? "second" : "first";
    this.#sinceFailure.set(format, 0);
    this.#careful.add(format);
    this.#stop();
    this.#handlers.failed(attempt, format, reason);
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
