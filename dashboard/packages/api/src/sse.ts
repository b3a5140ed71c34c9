/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  event: string;
  data: string;
}

/** 1 MiB: far above any event of ours; a line that long is not an event stream. */
const MAX_PENDING_CHARS = 1_048_576;

/** Takes a stream's text in pieces of any size and gives out whole events. */
export class SseParser {
  #pending = "";
  #event = "";
  #data: string[] = [];

  push(text: string): ServerSentEvent[] {
    this.#pending += text;
    const events: ServerSentEvent[] = [];
    for (;;) {
      const end = this.#pending.search(/\r\n|\n|\r(?=.)/s);
      if (end < 0) break;
      const line = this.#pending.slice(0, end);
      const newline = this.#pending.startsWith("\r\n", end) ? 2 : 1;
      this.#pending = this.#pending.slice(end + newline);
      const event = this.#line(line);
      if (event) events.push(event);
    }
    if (this.#pending.length > MAX_PENDING_CHARS) throw new Error("event stream line is too long");
    return events;
  }

  #line(line: string): ServerSentEvent | null {
    if (line === "") {
      const event = { event: this.#event || "message", data: this.#data.join("\n") };
      const hadData = this.#data.length > 0 || this.#event !== "";
      this.#event = "";
      this.#data = [];
      return hadData ? event : null;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return null;
  }
}
