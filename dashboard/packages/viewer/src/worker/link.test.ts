import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CoreEvent, Frame } from "../messages.ts";
import { BufferPool } from "./buffers.ts";
import type { CoreOutput, ViewerCore } from "./core.ts";
import { Link, type LinkSocket } from "./link.ts";

/** A core that does what the test tells it and notes what it is told. */
class FakeCore implements ViewerCore {
  readonly calls: string[] = [];
  readonly outputs: CoreOutput[] = [];
  deadlineUs: number | null = null;
  fails = false;

  handleMessage(_: number, bytes: Uint8Array) {
    if (this.fails) throw new Error("unreachable executed");
    this.calls.push(`message ${[...bytes].join()}`);
  }
  handleTimeout() {
    this.calls.push("timeout");
    this.deadlineUs = null;
  }
  pollTimeout = () => this.deadlineUs;
  pollOutput = () => this.outputs.shift() ?? null;
  pointer = (_: number, x: number, y: number, buttons: number) =>
    void this.calls.push(`pointer ${x},${y}:${buttons}`);
  wheel = () => void this.calls.push("wheel");
  key = () => void this.calls.push("key");
  chord = () => void this.calls.push("chord");
  releaseAll = () => void this.calls.push("release_all");
  preferences = () => void this.calls.push("preferences");
  machine = () => void this.calls.push("machine");
  refresh = () => void this.calls.push("refresh");
  filmFailed = (_: number, format: string) => void this.calls.push(`${format} failed`);
  requestControl = () => void this.calls.push("requestControl");
  requestElevation = () => void this.calls.push("requestElevation");
  painted = (_: number, sequence: number) => void this.calls.push(`painted ${sequence}`);
  goodbye = () => {
    this.calls.push("goodbye");
    this.outputs.push(send(9));
  };
  free = () => void this.calls.push("free");
}

const send = (...bytes: number[]): CoreOutput => ({ kind: "send", bytes: Uint8Array.from(bytes) });

function link() {
  const core = new FakeCore();
  const sent: string[] = [];
  const socket: LinkSocket = {
    binaryType: "blob",
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (bytes) => void sent.push([...bytes].join()),
    close: vi.fn(),
  };
  const events: CoreEvent[] = [];
  const frames: Frame[] = [];
  const closed: number[] = [];
  const under = new Link(socket, () => core, {
    onEvent: (event) => events.push(event),
    onFrame: (frame) => frames.push(frame),
    onClosed: (code) => closed.push(code),
  });
  return { under, core, socket, sent, events, frames, closed };
}

describe("Link", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("does everything the core wants done once the socket is open", () => {
    const it = link();
    it.core.outputs.push(send(1, 2), { kind: "event", event: { type: "pong", rtt_us: 1 } });

    it.socket.onopen?.();

    expect(it.sent).toEqual(["1,2"]);
    expect(it.events).toEqual([{ type: "pong", rtt_us: 1 }]);
  });

  it("hands the core every message and its deadline", () => {
    const it = link();
    it.socket.onopen?.();
    it.core.deadlineUs = performance.now() * 1_000 + 50_000;

    it.socket.onmessage?.({ data: Uint8Array.of(7).buffer });
    vi.advanceTimersByTime(50);

    expect(it.core.calls).toEqual(["message 7", "timeout"]);
  });

  it("passes on input and acknowledgements, and nothing before the socket is open", () => {
    const it = link();
    it.under.handle({ kind: "pointer", x: 1, y: 2, buttons: 0 });
    it.socket.onopen?.();

    it.under.handle({ kind: "pointer", x: 3, y: 4, buttons: 1 });
    it.under.painted(5);

    expect(it.core.calls).toEqual(["pointer 3,4:1", "painted 5"]);
  });

  it("tries a film again after a failure, and does without after the second", () => {
    const it = link();
    it.under.filmFailed("first", "vp9");
    it.socket.onopen?.();

    it.under.filmFailed("first", "vp9");
    it.under.filmFailed("second", "vp9");

    expect(it.core.calls).toEqual(["refresh", "vp9 failed"]);
  });

  it("says goodbye before it closes, and only when it is meant", () => {
    const leaving = link();
    leaving.socket.onopen?.();
    leaving.under.close(true);
    expect(leaving.sent).toEqual(["9"]);

    const pausing = link();
    pausing.socket.onopen?.();
    pausing.under.close(false);
    expect(pausing.core.calls).toEqual(["release_all", "free"]);
  });

  it("reports a closed socket once and gives the core back", () => {
    const it = link();
    it.socket.onopen?.();

    it.socket.onclose?.({ code: 4001 });
    it.under.close(false);

    expect(it.closed).toEqual([4001]);
    expect(it.core.calls).toEqual(["free"]);
  });

  it("takes a connection for lost that has gone silent", () => {
    const it = link();
    it.socket.onopen?.();
    it.socket.onmessage?.({ data: new ArrayBuffer(4) });

    vi.advanceTimersByTime(15_000);

    expect(it.closed).toEqual([1006]);
  });

  it("ends the session in words when the core breaks", () => {
    const it = link();
    it.socket.onopen?.();
    it.core.fails = true;

    it.socket.onmessage?.({ data: new ArrayBuffer(4) });

    expect(it.events).toMatchObject([{ type: "ended", code: "protocol" }]);
    expect(it.closed).toHaveLength(1);
  });
});

describe("BufferPool", () => {
  it("uses a returned buffer again", () => {
    const pool = new BufferPool();
    const first = pool.copy(new Uint8Array(5_000).fill(1));

    pool.giveBack(first);
    const second = pool.copy(new Uint8Array(6_000).fill(2));

    expect(second).toBe(first);
    expect(new Uint8Array(second)[5_999]).toBe(2);
  });

  it("keeps only a few", () => {
    const pool = new BufferPool();
    const buffers = Array.from({ length: 10 }, () => new ArrayBuffer(4_096));
    for (const buffer of buffers) pool.giveBack(buffer);

    const taken = Array.from({ length: 10 }, () => pool.copy(new Uint8Array(1)));

    expect(taken.filter((buffer) => buffers.includes(buffer))).toHaveLength(4);
  });
});
