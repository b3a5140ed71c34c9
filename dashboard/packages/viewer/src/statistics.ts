import type { Film, FilmMaker, Frame, Limit } from "./messages.ts";
import { pictureSentence } from "./picture-sentence.ts";

/** What a technician may want to know about the last two seconds. */
export interface ViewerStats {
  /** Updates painted in the last second. */
  framesPerSecond: number;
  kilobitsPerSecond: number;
  /** Round trip through the relay to the agent and back; `null` before the first answer. */
  roundTripMs: number | null;
  /** From an input to the picture that answers it, the newest measured. */
  inputToFrameMs: number | null;
  /** Where the time of a frame goes: medians, in the order of its way. */
  latency: LatencyParts;
  /** How the picture travels now: as exact pixels or as a film; `null` before the first one. */
  pictureSentence: string | null;
  /** The picture shows everything exactly as it is on the machine. */
  exact: boolean;
  limit: ShownLimit;
  /** What limits the picture now, in a sentence. */
  limitSentence: string;
  /** How the machine reads its screen and why not in a better way; `null` where it does not say. */
  screenSource: string | null;
}

/** What limits the picture: the machine's word, or that nothing is heard of it. */
export type ShownLimit = Limit | "no_answer";

/** Milliseconds. */
export interface LatencyParts {
  capture: number;
  encode: number;
  /** Waiting behind what was sent before, at the machine and on the way. */
  queue: number;
  /** One way, half of the round trip on an empty line. */
  network: number;
  /** Opening the seal and unpacking. */
  decode: number;
  paint: number;
}

export const LIMIT_SENTENCE: Record<ShownLimit, string> = {
  nothing_changes: "Nothing changes on the screen right now.",
  network:
    "The network is the limit: frames are left out or coarser so that the picture stays current.",
  agent: "The machine is the limit: it cannot capture and compress faster.",
  viewer: "This browser is the limit: it cannot draw faster.",
  frame_rate: "Nothing is the limit: every change is shown at the full frame rate.",
  no_answer: "The line does not answer: what is shown may be old.",
};

interface Sample {
  atMs: number;
  frame: Frame;
  decodeMs: number;
  paintMs: number;
}

/** Two seconds at 60 frames a second. */
const KEPT = 120;
const WINDOW_MS = 1_000;
const MEDIAN_WINDOW_MS = 2_000;
/** 7 s beside the round trip: the core pings every 5 s, and a busy machine may take two to answer. */
const SILENT_MS = 7_000;

/** Keeps a small ring of painted frames and sums it up when asked. */
export class Statistics {
  readonly #ring: Sample[] = [];
  #next = 0;
  #last: Sample | null = null;
  /** When the machine was last heard of. */
  #heardMs: number | null = null;
  #film: { atMs: number; film: Film; maker: FilmMaker | null } | null = null;
  #roundTripMs: number | null = null;
  #inputToFrameMs: number | null = null;
  #screenSource: string | null = null;

  /** The newest round trip; `null` before the first answer. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** Bytes a second that arrive here, as last told; 0 while unknown. */
  get deliveredRate(): number {
    return this.#last?.frame.delivered_rate ?? 0;
  }

  handlePainted(nowMs: number, frame: Frame, decodeMs: number, paintMs: number): void {
    const sample = { atMs: nowMs, frame, decodeMs, paintMs };
    this.#ring[this.#next] = sample;
    this.#next = (this.#next + 1) % KEPT;
    this.#last = sample;
    this.#heardMs = nowMs;
    if (frame.film !== null) this.#noteFilm(nowMs, frame.film);
    if (frame.rtt_us > 0) this.#roundTripMs = frame.rtt_us / 1_000;
    if (frame.input_latency_us !== null && frame.input_latency_us !== undefined) {
      this.#inputToFrameMs = frame.input_latency_us / 1_000;
    }
  }

  #noteFilm(atMs: number, film: Film): void {
    const known = this.#film?.film.stream === film.stream ? this.#film.maker : null;
    this.#film = { atMs, film, maker: film.maker ?? known };
  }

  handleRoundTrip(nowMs: number, roundTripUs: number): void {
    this.#heardMs = nowMs;
    this.#roundTripMs = roundTripUs / 1_000;
  }

  handleScreenSource(method: string, reason: string): void {
    this.#screenSource = reason === "" ? method : `${method} (${reason})`;
  }

  /** Forgets the last connection's figures. */
  reset(): void {
    this.#ring.length = 0;
    this.#next = 0;
    this.#last = null;
    this.#heardMs = null;
    this.#film = null;
    this.#roundTripMs = null;
    this.#inputToFrameMs = null;
    this.#screenSource = null;
  }

  sumUp(nowMs: number): ViewerStats {
    const lately = this.#ring.filter((sample) => nowMs - sample.atMs <= WINDOW_MS);
    const recent = this.#ring.filter((sample) => nowMs - sample.atMs <= MEDIAN_WINDOW_MS);
    const basis = recent.length > 0 || this.#last === null ? recent : [this.#last];
    const part = (of: (frame: Frame) => number) =>
      median(basis.map(({ frame }) => of(frame))) / 1_000;
    const bytes = lately.reduce((sum, { frame }) => sum + frame.bytes, 0);
    const decode = median(basis.map(({ decodeMs }) => decodeMs));
    const paint = median(basis.map(({ paintMs }) => paintMs));
    const exact = this.#last?.frame.complete === true && !this.#last.frame.reduced;
    const limit = this.#limitOf(nowMs, exact && lately.length === 0);
    const film = exact ? null : this.#filmOf(nowMs);
    return {
      framesPerSecond: lately.length,
      kilobitsPerSecond: Math.round((bytes * 8) / WINDOW_MS),
      roundTripMs: this.#roundTripMs,
      inputToFrameMs: this.#inputToFrameMs,
      latency: {
        capture: part((frame) => frame.capture_us),
        encode: part((frame) => frame.encode_us),
        // Reports of the line come twice a second and stand in every frame until the next one, so
        // the typical one is compared with what frames typically take here, not with this frame's.
        queue: Math.max(0, part((frame) => frame.rtt_us - frame.base_rtt_us) - decode - paint),
        network: part((frame) => frame.base_rtt_us / 2),
        decode,
        paint,
      },
      pictureSentence: this.#last && pictureSentence(film, this.#last.frame),
      exact,
      limit,
      limitSentence: LIMIT_SENTENCE[limit],
      screenSource: this.#screenSource,
    };
  }

  /** Without news an inexact picture still waits for what limited the last frame. */
  #limitOf(nowMs: number, rests: boolean): ShownLimit {
    const silentMs = nowMs - (this.#heardMs ?? nowMs);
    if (silentMs > SILENT_MS + (this.#roundTripMs ?? 0)) return "no_answer";
    if (rests || this.#last === null) return "nothing_changes";
    return this.#last.frame.limit;
  }

  /** The film that plays, if one does. */
  #filmOf(nowMs: number): { film: Film; maker: FilmMaker | null } | null {
    return this.#film !== null && nowMs - this.#film.atMs <= WINDOW_MS ? this.#film : null;
  }
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
