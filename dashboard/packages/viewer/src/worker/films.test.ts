import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Film, Frame, Rect } from "../messages.ts";
import { BufferPool } from "./buffers.ts";
import { type FilmCodec, FilmPlayer, filmConfig, h264Codec, probeFilms } from "./films.ts";
import { type Paint, Pictures } from "./pictures.ts";

/** A picture that only knows whether somebody has closed it. */
class FakeImage {
  closed = 0;
  constructor(readonly timestamp: number) {}
  close = () => {
    this.closed += 1;
  };
}

const asFrame = (image: FakeImage) => image as unknown as VideoFrame;

/** A browser whose decoders answer when the test says so. */
class FakeCodec implements FilmCodec {
  readonly opened: {
    config: VideoDecoderConfig;
    packets: string[];
    closed: boolean;
    answer(timestamp: number): FakeImage;
    fail(reason: string): void;
  }[] = [];
  refuses = false;

  open: FilmCodec["open"] = (config, onImage, onError) => {
    if (this.refuses) throw new Error("no such codec");
    const decoder = {
      config,
      packets: [] as string[],
      closed: false,
      answer: (timestamp: number) => {
        const image = new FakeImage(timestamp);
        onImage(asFrame(image));
        return image;
      },
      fail: onError,
    };
    this.opened.push(decoder);
    return {
      decode: (key, timestamp, data) =>
        void decoder.packets.push(`${key ? "key" : "delta"} ${timestamp}: ${[...data].join()}`),
      close: () => {
        decoder.closed = true;
      },
    };
  };

  get last() {
    const decoder = this.opened.at(-1);
    if (!decoder) throw new Error("no decoder was opened");
    return decoder;
  }
}

function film(changes: Partial<Film> = {}): Film {
  const area: Rect = [100, 100, 64, 48];
  return {
    stream: 1,
    format: "vp9",
    key: true,
    area,
    coded: [64, 48],
    rects: [area],
    maker: null,
    ...changes,
  };
}

const bytes = (...values: number[]) => Uint8Array.from(values);

function player() {
  const codec = new FakeCodec();
  const answers: string[] = [];
  const failures: string[] = [];
  const images: VideoFrame[] = [];
  const under = new FilmPlayer(
    {
      decoded: (token, image) => {
        if (image) images.push(image);
        answers.push(`${token}: ${image ? "picture" : "none"}`);
      },
      failed: (attempt, format, reason) => void failures.push(`${attempt} ${format}: ${reason}`),
    },
    codec,
  );
  return { under, codec, answers, failures };
}

/** Plays a film of so many pictures, with tokens from this one on. */
function play({ under, codec }: ReturnType<typeof player>, from: number, count: number) {
  for (let token = from; token < from + count; token += 1) {
    under.decode(token, film({ stream: 2, key: token === from }), bytes(1));
    codec.last.answer(token);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("FilmPlayer", () => {
  it("hands each packet to one decoder and answers in order", () => {
    const it = player();
    it.under.decode(1, film(), bytes(7, 8));
    it.under.decode(2, film({ key: false }), bytes(9));
    expect(it.under.backlog).toBe(2);

    it.codec.last.answer(1);
    it.codec.last.answer(2);

    expect(it.codec.opened).toHaveLength(1);
    expect(it.codec.last.packets).toEqual(["key 1: 7,8", "delta 2: 9"]);
    expect(it.answers).toEqual(["1: picture", "2: picture"]);
    expect(it.under.backlog).toBe(0);
  });

  it("says that there is no picture of a packet that the decoder skipped", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    it.under.decode(2, film({ key: false }), bytes(2));

    it.codec.last.answer(2);

    expect(it.answers).toEqual(["1: none", "2: picture"]);
  });

  it("opens another decoder for another film and drops the last one's pictures", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    const [first] = it.codec.opened;

    it.under.decode(2, film({ stream: 2, coded: [32, 24] }), bytes(2));
    const late = first?.answer(1);
    it.codec.last.answer(2);

    expect(first?.closed).toBe(true);
    expect(late?.closed).toBe(1);
    expect(it.answers).toEqual(["1: none", "2: picture"]);
    expect(it.codec.last.config).toMatchObject({ codedWidth: 32, codedHeight: 24 });
  });

  it("asks once for a new beginning when the decoder breaks, and decodes that by itself", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));

    it.codec.last.fail("decoding error");
    it.under.decode(2, film({ key: false }), bytes(2));
    it.under.decode(3, film({ stream: 2 }), bytes(3));
    it.codec.last.answer(3);

    expect(it.failures).toEqual(["first vp9: decoding error"]);
    expect(it.answers).toEqual(["1: none", "2: none", "3: picture"]);
    expect(it.codec.opened.map(({ config }) => config.hardwareAcceleration)).toEqual([
      "no-preference",
      "prefer-software",
    ]);
  });

  it("gives up when the second decoder breaks too", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    it.codec.last.fail("first");
    it.under.decode(2, film({ stream: 2 }), bytes(2));
    it.codec.last.fail("again");

    expect(it.failures).toEqual(["first vp9: first", "second vp9: again"]);
  });

  it("forgives a failure in the morning by the afternoon, and stays with what worked", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    it.codec.last.fail("in the morning");
    play(it, 2, 300);

    it.codec.last.fail("in the afternoon");
    it.under.decode(400, film({ stream: 3 }), bytes(1));

    expect(it.failures).toEqual(["first vp9: in the morning", "first vp9: in the afternoon"]);
    expect(it.codec.last.config.hardwareAcceleration).toBe("prefer-software");
  });

  it("does not forgive before the film has played for long", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    it.codec.last.fail("once");
    play(it, 2, 299);

    it.codec.last.fail("again");

    expect(it.failures).toEqual(["first vp9: once", "second vp9: again"]);
  });

  it("opens another decoder when the same stream comes in another format", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    const [first] = it.codec.opened;

    it.under.decode(2, film({ format: "h264" }), bytes(2));

    expect(first?.closed).toBe(true);
    expect(first?.packets).toEqual(["key 1: 1"]);
    expect(it.codec.last.config.codec).toMatch(/^avc1/);
    expect(it.codec.last.packets).toEqual(["key 2: 2"]);
  });

  it("takes a decoder for broken that does not answer", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    vi.advanceTimersByTime(2_000);
    it.codec.last.answer(1);
    it.under.decode(2, film({ key: false }), bytes(2));
    vi.advanceTimersByTime(2_900);
    expect(it.failures).toEqual([]);

    vi.advanceTimersByTime(200);

    expect(it.failures).toEqual(["first vp9: the decoder does not answer"]);
    expect(it.answers).toEqual(["1: picture", "2: none"]);
  });

  it("answers every packet when the browser refuses", () => {
    const it = player();
    it.codec.refuses = true;

    it.under.decode(1, film(), bytes(1));
    it.under.decode(2, film({ key: false }), bytes(2));

    expect(it.answers).toEqual(["1: none", "2: none"]);
    expect(it.failures).toEqual(["first vp9: no such codec"]);
  });

  it("does not begin in the middle of a film", () => {
    const it = player();
    it.under.decode(1, film({ key: false }), bytes(1));
    expect(it.answers).toEqual(["1: none"]);
    expect(it.failures).toHaveLength(1);
    expect(it.codec.opened).toEqual([]);
  });

  it("gives each format its own two chances", () => {
    const it = player();
    it.under.decode(1, film({ format: "h264" }), bytes(1));
    it.codec.last.fail("no driver");
    it.under.decode(2, film({ format: "h264", stream: 2 }), bytes(2));
    it.codec.last.fail("no program");
    it.under.decode(3, film({ stream: 3 }), bytes(3));
    it.codec.last.answer(3);
    it.under.decode(4, film({ stream: 3, key: false }), bytes(4));
    it.codec.last.fail("not this either");

    expect(it.failures).toEqual([
      "first h264: no driver",
      "second h264: no program",
      "first vp9: not this either",
    ]);
    expect(it.answers).toEqual(["1: none", "2: none", "3: picture", "4: none"]);
    expect(it.codec.opened.map(({ config }) => config.hardwareAcceleration)).toEqual([
      "no-preference",
      "prefer-software",
      "no-preference",
    ]);
  });

  it("is silent after it was closed", () => {
    const it = player();
    it.under.decode(1, film(), bytes(1));
    const { last } = it.codec;

    it.under.close();
    const late = last.answer(1);
    vi.advanceTimersByTime(5_000);

    expect(last.closed).toBe(true);
    expect(late.closed).toBe(1);
    expect(it.answers).toEqual([]);
    expect(it.failures).toEqual([]);
  });

  it("names the level that the size needs", () => {
    const vp9 = (coded: Film["coded"]) => filmConfig({ format: "vp9", coded }).codec;
    expect(vp9([1_920, 1_080])).toBe("vp09.00.41.08");
    expect(vp9([3_840, 2_160])).toBe("vp09.00.51.08");
    const fullChroma = filmConfig({ format: "vp9_full_chroma", coded: [1_920, 1_080] }).codec;
    expect(fullChroma).toBe("vp09.01.41.08.03.01.13.01.01");
  });

  it("calls H.264 what its own parameters say", () => {
    const packet = bytes(0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 0x64, 0, 0x1f, 0xac);
    expect(h264Codec(packet)).toBe("avc1.64001F");
    expect(h264Codec(bytes(0, 0, 0, 1, 0x65, 0x88, 1, 2, 3))).toBeNull();
    expect(h264Codec(bytes(0, 0, 1, 0x67, 0x42))).toBeNull();
    const config = (data: Uint8Array) => filmConfig({ format: "h264", coded: [64, 48] }, data);
    expect(config(packet).codec).toBe("avc1.64001F");
    expect(config(bytes(1, 2, 3))).toMatchObject({ codec: "avc1.42E029", codedWidth: 64 });
  });

  it("asks the browser about each format, and believes no error", async () => {
    const asked: string[] = [];
    vi.stubGlobal("VideoDecoder", {
      isConfigSupported: async ({ codec }: VideoDecoderConfig) => {
        asked.push(codec);
        if (codec.startsWith("vp09")) throw new TypeError("what is that?");
        return { supported: true };
      },
    });

    expect(await probeFilms()).toEqual(["h264"]);

    expect(asked).toEqual(["vp09.00.41.08", "avc1.42E029", "vp09.01.41.08.03.01.13.01.01"]);
    vi.unstubAllGlobals();
  });

  it("decodes nothing in a browser without WebCodecs", async () => {
    expect(await probeFilms()).toEqual([]);
  });
});

function frame(sequence: number, rects: Rect[], played: Film | null = null): Frame {
  return { sequence, rects, film: played } as unknown as Frame;
}

/** One grey level for every pixel of each rectangle. */
function pixels(rects: Rect[], level: number): Uint8Array {
  const count = rects.reduce((sum, [, , width, height]) => sum + width * height, 0);
  return new Uint8Array(count * 4).fill(level);
}

function pictures(onPainted = () => {}) {
  const codec = new FakeCodec();
  const painted: number[] = [];
  const paints: Paint[] = [];
  const under = new Pictures(
    {
      paint: (paint) => void paints.push(paint),
      painted: (sequence) => {
        painted.push(sequence);
        onPainted();
      },
      filmFailed: () => {},
    },
    new BufferPool(),
    codec,
  );
  /** What has to be painted, in words, since the last time. */
  const taken = () =>
    paints.splice(0).map((paint) => {
      if (paint.kind === "film") return `film ${paint.frame.sequence}`;
      const { sequence, rects } = paint.kind === "frame" ? paint.frame : paint;
      const levels = [...new Set(new Uint8Array(paint.pixels, 0, rects.length > 0 ? 1 : 0))];
      return `${paint.kind} ${sequence}: ${rects.map(([x, y]) => `${x},${y}`).join(" ")} ${levels}`;
    });
  return { under, codec, painted, taken };
}

const NOWHERE: Rect[] = [];
const BESIDE: Rect = [0, 0, 8, 8];
const INSIDE: Rect = [110, 110, 8, 8];

describe("Pictures", () => {
  it("paints tiles at once when no film is under way", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, [BESIDE, INSIDE]), pixels([BESIDE, INSIDE], 5), bytes(), 0);

    expect(it.taken()).toEqual(["frame 1: 0,0 110,110 5"]);
    it.under.handlePainted(1);
    expect(it.painted).toEqual([1]);
  });

  it("lets what lies on a film wait for it, and nothing else", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, NOWHERE, film()), bytes(), bytes(1), 0);
    const both = [BESIDE, INSIDE];
    const levels = pixels(both, 7);
    levels.fill(9, 8 * 8 * 4);
    it.under.handleFrame(frame(2, both), levels, bytes(), 0);
    expect(it.taken()).toEqual(["frame 1:  ", "frame 2: 0,0 7"]);

    it.codec.last.answer(1);

    expect(it.taken()).toEqual(["film 1", "tiles 2: 110,110 9"]);
  });

  it("keeps the order of what waits on what waits", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, NOWHERE, film()), bytes(), bytes(1), 0);
    it.under.handleFrame(frame(2, [INSIDE]), pixels([INSIDE], 2), bytes(), 0);
    it.under.handleFrame(frame(3, NOWHERE, film({ key: false })), bytes(), bytes(3), 0);
    it.under.handleFrame(frame(4, [INSIDE]), pixels([INSIDE], 4), bytes(), 0);
    it.taken();

    it.codec.last.answer(1);
    expect(it.taken()).toEqual(["film 1", "tiles 2: 110,110 2"]);
    it.codec.last.answer(2);
    expect(it.taken()).toEqual(["film 3", "tiles 4: 110,110 4"]);
  });

  it("goes on without a picture that cannot be decoded", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, NOWHERE, film()), bytes(), bytes(1), 0);
    it.under.handleFrame(frame(2, [INSIDE]), pixels([INSIDE], 2), bytes(), 0);
    it.taken();

    it.codec.last.fail("broken");

    expect(it.taken()).toEqual(["tiles 2: 110,110 2"]);
    it.under.handlePainted(1);
    expect(it.painted).toEqual([1]);
  });

  it("calls an update painted when all its parts are", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, [BESIDE], film()), pixels([BESIDE], 1), bytes(1), 0);
    it.under.handlePainted(1);
    expect(it.painted).toEqual([]);

    it.codec.last.answer(1);
    it.under.handlePainted(1);

    expect(it.painted).toEqual([1]);
  });

  it("decodes a packet whole although the core's memory grows meanwhile", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const it = pictures(() => void memory.grow(1));
    it.under.handleFrame(frame(1, NOWHERE, film()), bytes(), bytes(1), 0);
    it.under.handlePainted(1);
    const packet = new Uint8Array(memory.buffer, 0, 2).fill(7);

    // Another film: what is left of the first one is called painted, which is told to the core.
    it.under.handleFrame(frame(2, NOWHERE, film({ stream: 2 })), bytes(), packet, 0);

    expect(it.painted).toEqual([1]);
    expect(packet).toHaveLength(0);
    expect(it.codec.last.packets).toEqual(["key 2: 7,7"]);
  });

  it("paints a film only where it is to be seen", () => {
    const it = pictures();
    const around: Rect[] = [[100, 100, 64, 8]];
    it.under.handleFrame(frame(1, NOWHERE, film({ rects: around })), bytes(), bytes(1), 0);
    it.under.handleFrame(frame(2, [INSIDE]), pixels([INSIDE], 2), bytes(), 0);

    expect(it.taken()).toEqual(["frame 1:  ", "frame 2: 110,110 2"]);
  });

  it("closes every picture that nobody will paint", () => {
    const it = pictures();
    it.under.handleFrame(frame(1, NOWHERE, film()), bytes(), bytes(1), 0);
    it.under.handleFrame(frame(2, NOWHERE, film({ key: false })), bytes(), bytes(2), 0);
    const { last } = it.codec;
    it.under.close();

    const late = last.answer(2);

    expect(late.closed).toBe(1);
    expect(it.painted).toEqual([]);
  });
});
