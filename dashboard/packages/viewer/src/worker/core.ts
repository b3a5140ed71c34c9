import type {
  Chord,
  CoreEvent,
  FilmFormat,
  Frame,
  KeyInput,
  MachineWish,
  Preferences,
  SessionInfo,
} from "../messages.ts";

/** What the core wants done. Views into its memory: use them before the next call. */
export type CoreOutput =
  | { kind: "send"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "event"; event: CoreEvent }
  /** `film`: one packet of the frame's film; empty when it has none. */
  | {
      kind: "frame";
      frame: Frame;
      pixels: Uint8Array<ArrayBuffer>;
      film: Uint8Array<ArrayBuffer>;
    };

/** One connection's state machine: bytes and time in, bytes, events and pixels out. */
export interface ViewerCore {
  handleMessage(nowUs: number, bytes: Uint8Array): void;
  handleTimeout(nowUs: number): void;
  /** When to call `handleTimeout`; `null`: never. */
  pollTimeout(): number | null;
  pollOutput(): CoreOutput | null;
  pointer(nowUs: number, x: number, y: number, buttons: number): void;
  wheel(nowUs: number, x: number, y: number, dx: number, dy: number): void;
  key(nowUs: number, key: KeyInput): void;
  chord(nowUs: number, chord: Chord): void;
  releaseAll(nowUs: number): void;
  preferences(nowUs: number, preferences: Preferences): void;
  refresh(nowUs: number): void;
  /** Films in this format could not be decoded: there shall be none of them any more. */
  filmFailed(nowUs: number, format: FilmFormat): void;
  machine(nowUs: number, wish: MachineWish): void;
  requestControl(nowUs: number): void;
  requestElevation(nowUs: number): void;
  painted(nowUs: number, sequence: number): void;
  goodbye(nowUs: number): void;
  free(): void;
}

export interface CoreConfig {
  session: SessionInfo;
  preferences: Preferences;
  software: string;
  /** What this browser decodes. */
  films: FilmFormat[];
  /** 32 fresh random bytes. */
  seed: Uint8Array;
}

export type OpenCore = (config: CoreConfig, nowUs: number) => ViewerCore;

/** In the order in which the core counts them. */
export const FORMATS: readonly FilmFormat[] = ["vp9", "h264", "vp9_full_chroma"];

/** The functions of `guruconnect_viewer.wasm`. */
interface Exports {
  memory: WebAssembly.Memory;
  gc_alloc(length: number): number;
  gc_free(pointer: number, length: number): void;
  gc_viewer_new(pointer: number, length: number, nowUs: number): number;
  gc_viewer_free(handle: number): void;
  gc_viewer_message(handle: number, pointer: number, length: number, nowUs: number): void;
  gc_viewer_timeout(handle: number, nowUs: number): void;
  gc_viewer_deadline(handle: number): number;
  gc_viewer_pointer(handle: number, nowUs: number, x: number, y: number, buttons: number): void;
  gc_viewer_wheel(
    handle: number,
    nowUs: number,
    x: number,
    y: number,
    dx: number,
    dy: number,
  ): void;
  gc_viewer_key(handle: number, nowUs: number, pointer: number, length: number): void;
  gc_viewer_chord(handle: number, nowUs: number, pointer: number, length: number): void;
  gc_viewer_release_all(handle: number, nowUs: number): void;
  gc_viewer_preferences(handle: number, nowUs: number, pointer: number, length: number): void;
  gc_viewer_machine(handle: number, nowUs: number, pointer: number, length: number): void;
  gc_viewer_refresh(handle: number, nowUs: number): void;
  gc_viewer_film_failed(handle: number, nowUs: number, format: number): void;
  gc_viewer_request_control(handle: number, nowUs: number): number;
  gc_viewer_request_elevation(handle: number, nowUs: number): number;
  gc_viewer_goodbye(handle: number, nowUs: number): void;
  gc_viewer_painted(handle: number, nowUs: number, sequence: number): void;
  gc_viewer_poll(handle: number): number;
  gc_output_ptr(handle: number): number;
  gc_output_len(handle: number): number;
  gc_pixels_ptr(handle: number): number;
  gc_pixels_len(handle: number): number;
  gc_film_ptr(handle: number): number;
  gc_film_len(handle: number): number;
}

const OUTPUT = { nothing: 0, send: 1, event: 2, frame: 3 } as const;

/** Compiles the core; one module serves every connection of this worker. */
export async function loadCore(url: URL): Promise<OpenCore> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`the viewer core was not found on the server (status ${response.status})`);
  }
  // Compiling while it arrives needs the right type; a static host may not know it.
  const typed = response.headers.get("content-type")?.startsWith("application/wasm") ?? false;
  const module = typed
    ? await WebAssembly.compileStreaming(response)
    : await WebAssembly.compile(await response.arrayBuffer());
  // A fresh instance for each connection: whatever happened to the last one stays there.
  return (config, nowUs) => WasmCore.open(module, config, nowUs);
}

class WasmCore implements ViewerCore {
  readonly #wasm: Exports;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  #handle = 0;
  /** Where incoming bytes are put: one block, grown when a message is larger. */
  #input = 0;
  #inputCapacity = 0;

  private constructor(wasm: Exports) {
    this.#wasm = wasm;
  }

  static open(module: WebAssembly.Module, config: CoreConfig, nowUs: number): WasmCore {
    const instance = new WebAssembly.Instance(module, {});
    const core = new WasmCore(instance.exports as unknown as Exports);
    const length = core.#writeJson({
      session_id: config.session.session_id,
      participant_id: config.session.participant_id,
      agent_public_key: config.session.agent_public_key,
      signed_grant: config.session.signed_grant,
      seed: base64(config.seed),
      quality: config.preferences.quality,
      view_only: config.preferences.view_only,
      software: config.software,
      films: config.films,
    });
    core.#handle = core.#wasm.gc_viewer_new(core.#input, length, nowUs);
    if (core.#handle === 0) {
      throw new Error(`the server's answer cannot be used: ${core.#outputText()}`);
    }
    return core;
  }

  handleMessage(nowUs: number, bytes: Uint8Array): void {
    this.#write(bytes);
    this.#wasm.gc_viewer_message(this.#handle, this.#input, bytes.length, nowUs);
  }

  handleTimeout(nowUs: number): void {
    this.#wasm.gc_viewer_timeout(this.#handle, nowUs);
  }

  pollTimeout(): number | null {
    const deadline = this.#wasm.gc_viewer_deadline(this.#handle);
    return deadline < 0 ? null : deadline;
  }

  pollOutput(): CoreOutput | null {
    switch (this.#wasm.gc_viewer_poll(this.#handle)) {
      case OUTPUT.nothing:
        return null;
      case OUTPUT.send:
        return { kind: "send", bytes: this.#output() };
      case OUTPUT.event:
        return { kind: "event", event: JSON.parse(this.#outputText()) as CoreEvent };
      case OUTPUT.frame:
        return {
          kind: "frame",
          frame: JSON.parse(this.#outputText()) as Frame,
          pixels: this.#view(
            this.#wasm.gc_pixels_ptr(this.#handle),
            this.#wasm.gc_pixels_len(this.#handle),
          ),
          film: this.#view(
            this.#wasm.gc_film_ptr(this.#handle),
            this.#wasm.gc_film_len(this.#handle),
          ),
        };
      default:
        throw new Error("the viewer core gave an output of an unknown kind");
    }
  }

  pointer(nowUs: number, x: number, y: number, buttons: number): void {
    this.#wasm.gc_viewer_pointer(this.#handle, nowUs, x, y, buttons);
  }

  wheel(nowUs: number, x: number, y: number, dx: number, dy: number): void {
    this.#wasm.gc_viewer_wheel(this.#handle, nowUs, x, y, dx, dy);
  }

  key(nowUs: number, key: KeyInput): void {
    const length = this.#writeJson(key);
    this.#wasm.gc_viewer_key(this.#handle, nowUs, this.#input, length);
  }

  chord(nowUs: number, chord: Chord): void {
    const length = this.#writeJson(chord);
    this.#wasm.gc_viewer_chord(this.#handle, nowUs, this.#input, length);
  }

  releaseAll(nowUs: number): void {
    this.#wasm.gc_viewer_release_all(this.#handle, nowUs);
  }

  preferences(nowUs: number, preferences: Preferences): void {
    const length = this.#writeJson(preferences);
    this.#wasm.gc_viewer_preferences(this.#handle, nowUs, this.#input, length);
  }

  machine(nowUs: number, wish: MachineWish): void {
    const length = this.#writeJson(wish);
    this.#wasm.gc_viewer_machine(this.#handle, nowUs, this.#input, length);
  }

  refresh(nowUs: number): void {
    this.#wasm.gc_viewer_refresh(this.#handle, nowUs);
  }

  filmFailed(nowUs: number, format: FilmFormat): void {
    this.#wasm.gc_viewer_film_failed(this.#handle, nowUs, FORMATS.indexOf(format));
  }

  requestControl(nowUs: number): void {
    this.#wasm.gc_viewer_request_control(this.#handle, nowUs);
  }

  requestElevation(nowUs: number): void {
    this.#wasm.gc_viewer_request_elevation(this.#handle, nowUs);
  }

  painted(nowUs: number, sequence: number): void {
    this.#wasm.gc_viewer_painted(this.#handle, nowUs, sequence);
  }

  goodbye(nowUs: number): void {
    this.#wasm.gc_viewer_goodbye(this.#handle, nowUs);
  }

  free(): void {
    this.#wasm.gc_viewer_free(this.#handle);
    this.#handle = 0;
  }

  #writeJson(value: unknown): number {
    const bytes = this.#encoder.encode(JSON.stringify(value));
    this.#write(bytes);
    return bytes.length;
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length > this.#inputCapacity) {
      if (this.#inputCapacity > 0) this.#wasm.gc_free(this.#input, this.#inputCapacity);
      // Powers of two, so that messages which grow slowly do not reallocate each time.
      this.#inputCapacity = 2 ** Math.ceil(Math.log2(Math.max(bytes.length, 4_096)));
      this.#input = this.#wasm.gc_alloc(this.#inputCapacity);
    }
    this.#view(this.#input, bytes.length).set(bytes);
  }

  #output(): Uint8Array<ArrayBuffer> {
    return this.#view(
      this.#wasm.gc_output_ptr(this.#handle),
      this.#wasm.gc_output_len(this.#handle),
    );
  }

  #outputText(): string {
    return this.#decoder.decode(this.#output());
  }

  /** Made anew each time: the memory's buffer changes when the core's memory grows. */
  #view(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#wasm.memory.buffer as ArrayBuffer, pointer, length);
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
