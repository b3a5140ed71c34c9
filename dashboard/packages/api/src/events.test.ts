import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiClient } from "./client.ts";
import { EventStream, type LiveEvent, type LiveState } from "./events.ts";
import { SseParser } from "./sse.ts";

/** A client whose event streams the test opens, feeds and breaks. */
function streams() {
  const opened: ReadableStreamDefaultController<Uint8Array>[] = [];
  let refuse = false;
  const api = {
    openEvents: async (signal: AbortSignal) => {
      if (refuse) throw new Error("refused");
      return new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            opened.push(controller);
            signal.addEventListener("abort", () => controller.error(signal.reason));
          },
        }),
      );
    },
  } as unknown as ApiClient;
  return {
    api,
    opened,
    refuse: (value: boolean) => {
      refuse = value;
    },
    say: (text: string) => opened.at(-1)?.enqueue(new TextEncoder().encode(text)),
  };
}

describe("EventStream", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("reports events, and a resync after every connection", async () => {
    const { api, say, opened } = streams();
    const events: LiveEvent[] = [];
    const states: LiveState[] = [];
    const stream = new EventStream(api, {
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
    });
    await vi.advanceTimersByTimeAsync(0);

    say('event: machine_removed\ndata: {"id":"m1"}\n\nevent: from_the_future\ndata: {}\n\n');
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.close();
    await vi.advanceTimersByTimeAsync(300);

    expect(events).toEqual([
      { kind: "resync" },
      { kind: "machine_removed", id: "m1" },
      { kind: "resync" },
    ]);
    expect(states).toEqual(["connecting", "live", "unreachable", "live"]);
    stream.close();
  });

  it("keeps trying while the server is away and comes back by itself", async () => {
    const { api, refuse } = streams();
    const states: LiveState[] = [];
    refuse(true);
    const stream = new EventStream(api, { onEvent: () => {}, onState: (s) => states.push(s) });

    await vi.advanceTimersByTimeAsync(60_000);
    refuse(false);
    await vi.advanceTimersByTimeAsync(5_000);

    expect(states.at(-1)).toBe("live");
    stream.close();
  });

  it("gives up on a connection that has gone silent", async () => {
    const { api, opened, say } = streams();
    const states: LiveState[] = [];
    const stream = new EventStream(api, { onEvent: () => {}, onState: (s) => states.push(s) });
    await vi.advanceTimersByTimeAsync(20_000);
    say(": keep-alive\n\n");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(opened).toHaveLength(1);

    await vi.advanceTimersByTimeAsync(20_000);

    expect(states).toContain("unreachable");
    expect(opened).toHaveLength(2);
    stream.close();
  });
});

describe("SseParser", () => {
  it("finds the same events however the bytes are cut", () => {
    const text = ": hello\r\n\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata: x\n\n";
    const whole = new SseParser().push(text);
    const parser = new SseParser();
    const cut = [...text].flatMap((char) => parser.push(char));

    expect(whole).toEqual([
      { event: "a", data: "1\n2" },
      { event: "message", data: "x" },
    ]);
    expect(cut).toEqual(whole);
  });
});
