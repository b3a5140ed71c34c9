import { describe, expect, it } from "vitest";
import type { Film, Frame } from "./messages.ts";
import { LIMIT_SENTENCE, Statistics } from "./statistics.ts";

const frame = (change: Partial<Frame> = {}): Frame => ({
  sequence: 1,
  rects: [],
  film: null,
  complete: true,
  reduced: false,
  bytes: 12_500,
  capture_us: 1_000,
  encode_us: 2_000,
  rtt_us: 20_000,
  base_rtt_us: 10_000,
  delivered_rate: 1_000_000,
  limit: "network",
  input_sequence: 0,
  input_latency_us: null,
  ...change,
});

const film = (change: Partial<Film> = {}): Film => ({
  stream: 1,
  format: "vp9",
  key: true,
  area: [100, 50, 960, 540],
  coded: [960, 540],
  rects: [[100, 50, 960, 540]],
  maker: null,
  ...change,
});

describe("Statistics", () => {
  it("counts what was shown in the last second", () => {
    const statistics = new Statistics();
    for (let n = 0; n < 10; n += 1) statistics.handlePainted(n * 100, frame(), 0.5, 0.2);

    const { framesPerSecond, kilobitsPerSecond } = statistics.sumUp(1_000);

    expect(framesPerSecond).toBe(10);
    expect(kilobitsPerSecond).toBe(1_000);
  });

  it("names each part of a frame's way once", () => {
    const statistics = new Statistics();
    statistics.handlePainted(0, frame(), 0.5, 0.25);

    expect(statistics.sumUp(10).latency).toEqual({
      capture: 1,
      encode: 2,
      queue: 9.25,
      network: 5,
      decode: 0.5,
      paint: 0.25,
    });
  });

  it("keeps the last figures but says that nothing changes when nothing does", () => {
    const statistics = new Statistics();
    statistics.handlePainted(0, frame({ input_latency_us: 30_000 }), 0.5, 0.2);
    for (let pong = 1; pong <= 12; pong += 1) statistics.handleRoundTrip(pong * 5_000, 20_000);

    const stats = statistics.sumUp(60_000);

    expect(stats.framesPerSecond).toBe(0);
    expect(stats.inputToFrameMs).toBe(30);
    expect(stats.latency.network).toBe(5);
    expect(stats.limitSentence).toBe(LIMIT_SENTENCE.nothing_changes);
  });

  it.each<[string, Partial<Frame>]>([
    ["has parts to come", { complete: false }],
    ["is not exact yet", { reduced: true }],
  ])("does not call a stalled line a still screen: the picture %s", (_, change) => {
    const statistics = new Statistics();
    statistics.handlePainted(0, frame({ limit: "network", ...change }), 0.5, 0.2);

    const { framesPerSecond, limit } = statistics.sumUp(4_000);

    expect(framesPerSecond).toBe(0);
    expect(limit).toBe("network");
  });

  it("keeps the limit of a line that carries less than a frame a second", () => {
    const statistics = new Statistics();
    const slow = frame({ limit: "network", complete: false });

    for (let n = 0; n < 5; n += 1) statistics.handlePainted(n * 1_500, slow, 0.5, 0.2);

    expect(statistics.sumUp(7_400).limit).toBe("network");
  });

  it("says so when not even the pings are answered, until something is heard again", () => {
    const statistics = new Statistics();
    statistics.handlePainted(0, frame(), 0.5, 0.2);
    statistics.handleRoundTrip(5_000, 300_000);
    expect(statistics.sumUp(12_000).limit).toBe("nothing_changes");

    expect(statistics.sumUp(12_400).limitSentence).toBe(LIMIT_SENTENCE.no_answer);

    statistics.handleRoundTrip(12_500, 2_000_000);
    expect(statistics.sumUp(12_600).limit).toBe("nothing_changes");
    statistics.reset();
    expect(statistics.sumUp(60_000).limit).toBe("nothing_changes");
  });

  it("knows the line's figures as they were last told", () => {
    const statistics = new Statistics();
    expect(statistics).toMatchObject({ roundTripMs: null, deliveredRate: 0 });

    statistics.handlePainted(0, frame({ rtt_us: 400_000, delivered_rate: 8_000 }), 0.5, 0.2);
    expect(statistics).toMatchObject({ roundTripMs: 400, deliveredRate: 8_000 });
    statistics.handleRoundTrip(10, 300_000);
    expect(statistics).toMatchObject({ roundTripMs: 300, deliveredRate: 8_000 });

    statistics.reset();
    expect(statistics).toMatchObject({ roundTripMs: null, deliveredRate: 0 });
  });

  it("takes for a queue what most frames have beyond the empty line and our own part", () => {
    const statistics = new Statistics();
    const told = frame({ rtt_us: 120_000, base_rtt_us: 20_000 });
    // The line is told of twice a second: one slow frame of ours is not in what it says.
    statistics.handlePainted(0, told, 4, 1);
    statistics.handlePainted(30, told, 90, 30);
    statistics.handlePainted(60, told, 4, 1);
    expect(statistics.sumUp(70).latency.queue).toBe(95);

    const atOnce = frame({ rtt_us: 21_000, base_rtt_us: 20_000 });
    for (let n = 0; n < 10; n += 1) statistics.handlePainted(100 + n, atOnce, 4, 1);
    expect(statistics.sumUp(200).latency.queue).toBe(0);
  });

  it("says whether the picture is exact", () => {
    const statistics = new Statistics();
    statistics.handlePainted(0, frame({ reduced: true }), 0.5, 0.2);
    expect(statistics.sumUp(1).exact).toBe(false);

    statistics.handlePainted(2, frame(), 0.5, 0.2);
    expect(statistics.sumUp(3).exact).toBe(true);
  });

  it("says how the screen is read until the connection is made anew", () => {
    const statistics = new Statistics();
    expect(statistics.sumUp(0).screenSource).toBeNull();

    statistics.handleScreenSource("GDI", "desktop duplication: in use");
    expect(statistics.sumUp(0).screenSource).toBe("GDI (desktop duplication: in use)");
    statistics.handleScreenSource("desktop duplication", "");
    expect(statistics.sumUp(0).screenSource).toBe("desktop duplication");

    statistics.reset();
    expect(statistics.sumUp(0).screenSource).toBeNull();
  });

  it.each<[string, Partial<Film>]>([
    ["Film: VP9, 960 × 540", {}],
    ["Film: VP9, full colour, 960 × 540", { format: "vp9_full_chroma" }],
    [
      "Film: VP9 (software: libvpx), 480 × 270, half size",
      { coded: [480, 270], maker: { name: "libvpx", hardware: false } },
    ],
    [
      "Film: H.264 (hardware: Intel® Quick Sync), 240 × 134, quarter size",
      { format: "h264", coded: [240, 134], maker: { name: "Intel® Quick Sync", hardware: true } },
    ],
    [
      "Film: H.264 (hardware), 960 × 540",
      { format: "h264", area: [0, 0, 961, 541], maker: { name: " ", hardware: true } },
    ],
    ["Film: VP9, 120 × 68, 1/8 size", { coded: [120, 68] }],
  ])("says how a film travels: %s", (sentence, change) => {
    const statistics = new Statistics();

    statistics.handlePainted(0, frame({ film: film(change), reduced: true }), 0.5, 0.2);

    expect(statistics.sumUp(10).pictureSentence).toBe(sentence);
  });

  it("remembers a film's encoder for as long as its stream plays", () => {
    const statistics = new Statistics();
    const says = (change: Partial<Film>) => {
      statistics.handlePainted(0, frame({ film: film(change), reduced: true }), 0.5, 0.2);
      return statistics.sumUp(10).pictureSentence;
    };
    const hardware = { name: "A Card", hardware: true };
    const software = { name: "libvpx", hardware: false };

    expect(says({ format: "h264", maker: hardware })).toContain("(hardware: A Card)");
    expect(says({ format: "h264", key: false })).toContain("(hardware: A Card)");
    expect(says({ stream: 2, maker: software })).toContain("(software: libvpx)");
    expect(says({ stream: 3 })).toBe("Film: VP9, 960 × 540");
  });

  it("says that pixels are exact once a film is over, or what they lack", () => {
    const statistics = new Statistics();
    expect(statistics.sumUp(0).pictureSentence).toBeNull();
    statistics.handlePainted(0, frame({ film: film(), reduced: true }), 0.5, 0.2);
    // Text beside the film, which plays on.
    statistics.handlePainted(600, frame({ reduced: true }), 0.5, 0.2);
    expect(statistics.sumUp(900)).toMatchObject({ exact: false });
    expect(statistics.sumUp(900).pictureSentence).toContain("Film");
    statistics.handlePainted(950, frame(), 0.5, 0.2);
    expect(statistics.sumUp(960)).toMatchObject({ exact: true, pictureSentence: "Exact pixels" });

    statistics.handlePainted(1_200, frame({ reduced: true }), 0.5, 0.2);
    expect(statistics.sumUp(1_300).pictureSentence).toBe("Pixels with fewer colours");

    statistics.reset();
    expect(statistics.sumUp(1_400).pictureSentence).toBeNull();
  });

  it("does not grow with the length of a session", () => {
    const statistics = new Statistics();
    for (let n = 0; n < 10_000; n += 1) statistics.handlePainted(n, frame(), 0.5, 0.2);

    expect(statistics.sumUp(10_000).framesPerSecond).toBe(120);
  });
});
