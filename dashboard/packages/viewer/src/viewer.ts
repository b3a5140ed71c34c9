import { Connection, type ConnectionState } from "./connection.ts";
import { RemoteCursor } from "./cursor.ts";
import { buildElements } from "./elements.ts";
import type { Point, Scale, Size } from "./geometry.ts";
import { detectPlatform, Keyboard } from "./keyboard.ts";
import type {
  Chord,
  ConsentOutcome,
  CoreEvent,
  DesktopSession,
  Display,
  Feature,
  FromWorker,
  Guard,
  OsFamily,
  Quality,
  Right,
  SessionInfo,
  ToWorker,
  TwoWords,
} from "./messages.ts";
import { AgentKeyChangedError, LocalPinStore, type PinStore } from "./pins.ts";
import { PointerInput } from "./pointer.ts";
import { Screen } from "./screen.ts";
import { Statistics, type ViewerStats } from "./statistics.ts";
import { Emitter, type Subscribable } from "./subscribable.ts";

export interface ViewerOptions {
  /** For remembering the machine's key. */
  machineId: string;
  /**
   * Starts a session, or rejoins the one that this viewer had. Called again after every lost
   * connection. An error's `code` (`machine_offline`, `session_ended`, …) decides what happens.
   */
  getSession: () => Promise<SessionInfo>;
  /** Default `auto`. */
  quality?: Quality;
  /** Default false. */
  viewOnly?: boolean;
  /** Default `fit`. */
  scale?: Scale;
  /** Where the machines' keys are remembered. Default: this browser's storage. */
  pins?: PinStore;
  /** What the agent's log calls us, such as `dashboard 0.1.0`. */
  software?: string;
}

/** What the other end said about itself when it answered. */
export interface RemoteInfo {
  software: string;
  /** `null`: a system that this version does not know. */
  osFamily: OsFamily | null;
  rights: Right[];
  features: Feature[];
}

/** Everything a toolbar shows. A new object whenever something changes. */
export interface ViewerSnapshot {
  state: ConnectionState;
  /** Of the newest connection; `null` before the first. */
  remote: RemoteInfo | null;
  picture: Size | null;
  displays: Display[];
  /** The display that is shown alone; `null`: all of them. */
  display: number | null;
  /** The logins of the machine, when there is a choice. */
  desktopSessions: DesktopSession[];
  /** What is kept from the person at the machine. */
  guard: Guard;
  /** The first picture has been painted. */
  hasPicture: boolean;
  quality: Quality;
  viewOnly: boolean;
  scale: Scale;
  /** 1 is the size that `scale` gives. */
  zoom: number;
  onScreenKeyboard: boolean;
  consent: ConsentState;
  elevation: ElevationState;
  /** The words that the person at the machine sees too; `null` before the first connection. */
  words: TwoWords | null;
  /** The person at the machine paused the session. */
  paused: boolean;
}

/** Where the person at the machine stands. */
export type ConsentState =
  /** Nobody has to be asked, or the answer was yes. */
  | "settled"
  /** Asked at the start: nothing is shown yet. */
  | "pending"
  /** Asked for mouse and keyboard while the screen is shown. */
  | "control_pending"
  /** Only looking is allowed: `requestControl()` asks for more. */
  | "view_only";

/** Administrator rights of the agent on a machine whose person is asked. */
export type ElevationState =
  /** Nobody is asked for anything on this machine. */
  | "not_attended"
  /** This machine's system has none to give. */
  | "unavailable"
  /** `requestElevation()` asks for them. */
  | "possible"
  /** The person is being asked. */
  | "asked"
  /** They agreed: their system asks them too, and the agent starts anew. */
  | "starting"
  | "elevated";

export type ViewerEvent =
  | { kind: "snapshot"; snapshot: ViewerSnapshot }
  | { kind: "state"; state: ConnectionState }
  /** Twice a second while connected. */
  | { kind: "stats"; stats: ViewerStats }
  | { kind: "notice"; code: string; message: string }
  /** Ctrl+Alt+Shift: the technician wants the keyboard back from the picture. */
  | { kind: "leave" };

/** 2 Hz: figures that a person can read. */
const STATS_MS = 500;

const NO_GUARD: Guard = { block_input: false, blank_screen: false };

const NOTICE_MESSAGE: Record<string, string> = {
  input_unavailable: "The machine does not accept input right now.",
  chord_unsupported: "The machine cannot press this combination.",
  capture_fallback: "The machine uses a slower way to capture its screen.",
  questions_closed:
    "The person at the machine said no three times and is not asked any more. Only they can allow questions again, in their window.",
  elevation_failed:
    "The person's system did not give administrator rights: they said no to its own question, or it has none to give.",
};

function consentOf(event: Extract<CoreEvent, { type: "connected" }>): ConsentState {
  if (event.consent_pending) return "pending";
  const mayAsk = event.features.includes("consent") && !event.rights.includes("control");
  return mayAsk ? "view_only" : "settled";
}

function elevationOf(features: readonly Feature[]): ElevationState {
  if (features.includes("elevated")) return "elevated";
  if (features.includes("elevation")) return "possible";
  return features.includes("consent") ? "unavailable" : "not_attended";
}

/** One remote session in one element. Owns its worker and its sockets; `close()` gives all of it back. */
export class Viewer {
  readonly #options: ViewerOptions;
  readonly #pins: PinStore;
  readonly #root: HTMLElement;
  readonly #field: HTMLTextAreaElement;
  readonly #screen: Screen;
  readonly #cursor: RemoteCursor;
  readonly #keyboard: Keyboard;
  readonly #pointer: PointerInput;
  readonly #worker: Worker;
  readonly #connection = new Connection();
  readonly #statistics = new Statistics();
  readonly #emitter = new Emitter<ViewerEvent>();
  readonly #abort = new AbortController();
  readonly #statsTimer: ReturnType<typeof setInterval>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #link = 0;
  /** The key that the current link's agent has to hold. */
  #offeredKey: string | null = null;
  #snapshot: ViewerSnapshot;
  /** What the technician chose, also for the connections to come. */
  #wantedDisplay: number | null = null;
  #displayAsked = false;
  #closed = false;

  /** Begins to connect at once. `container` gets the picture; it should have a size of its own. */
  constructor(container: HTMLElement, options: ViewerOptions) {
    this.#options = options;
    this.#pins = options.pins ?? new LocalPinStore();
    this.#snapshot = {
      state: this.#connection.state,
      remote: null,
      picture: null,
      displays: [],
      display: null,
      desktopSessions: [],
      guard: NO_GUARD,
      hasPicture: false,
      quality: options.quality ?? "auto",
      viewOnly: options.viewOnly ?? false,
      scale: options.scale ?? "fit",
      zoom: 1,
      onScreenKeyboard: false,
      consent: "settled",
      elevation: "not_attended",
      words: null,
      paused: false,
    };

    const parts = buildElements();
    this.#root = parts.root;
    this.#field = parts.field;
    container.append(parts.root);
    this.#screen = new Screen(parts.viewport, parts.canvas, () => this.#scaled());
    this.#screen.setScale(this.#snapshot.scale);
    this.#cursor = new RemoteCursor(this.#screen, parts.overlay);
    this.#keyboard = new Keyboard(
      parts.field,
      {
        key: (key) => this.#input({ kind: "key", key }),
        releaseAll: () => this.#send({ kind: "release_all" }),
        leave: () => this.#emitter.emit({ kind: "leave" }),
      },
      detectPlatform(),
    );
    this.#keyboard.setOnScreen(false);
    this.#pointer = new PointerInput(
      this.#screen,
      {
        pointer: ({ x, y }, buttons) => this.#input({ kind: "pointer", x, y, buttons }),
        wheel: ({ x, y }, dx, dy) => this.#input({ kind: "wheel", x, y, dx, dy }),
        releaseAll: () => this.#send({ kind: "release_all" }),
        hovered: (position) => this.#hovered(position),
        pressed: () => this.focus(),
      },
      () => this.#keyboard.controlHeld,
    );
    this.#worker = new Worker(new URL("./worker/main.js", import.meta.url), {
      type: "module",
      name: "guruconnect-viewer",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#fromWorker(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#connection.handleBroken("The viewer could not be loaded. Reload the page.");
      this.#pump();
    };
    this.#listenToPage();
    this.#statsTimer = setInterval(() => this.#emitStats(), STATS_MS);
    this.#applyViewOnly();
    this.#pump();
  }

  get events(): Subscribable<ViewerEvent> {
    return this.#emitter;
  }

  get snapshot(): ViewerSnapshot {
    return this.#snapshot;
  }

  stats(): ViewerStats {
    return this.#statistics.sumUp(performance.now());
  }

  /** Gives the keyboard to the picture. */
  focus(): void {
    this.#field.focus({ preventScroll: true });
  }

  setQuality(quality: Quality): void {
    this.#update({ quality });
    this.#sendPreferences();
  }

  /** In view-only nothing is sent to the machine, and what was held is released. */
  setViewOnly(viewOnly: boolean): void {
    if (viewOnly) this.#releaseAll();
    this.#update({ viewOnly });
    this.#applyViewOnly();
    this.#sendPreferences();
  }

  setScale(scale: Scale): void {
    this.#update({ scale });
    this.#screen.setScale(scale);
  }

  /** Shows one display alone, or all of them. */
  selectDisplay(id: number | null): void {
    this.#wantedDisplay = id;
    this.#releaseAll();
    this.#send({ kind: "machine", wish: { kind: "display", id } });
  }

  /** Shows another login of the machine, to everybody who looks at it. */
  selectDesktopSession(id: number): void {
    // Another login has displays of its own.
    this.#wantedDisplay = null;
    this.#input({ kind: "machine", wish: { kind: "desktop_session", id } });
  }

  /** Keeps the person at the machine from doing or seeing anything, as long as we are connected. */
  setGuard(change: Partial<Guard>): void {
    this.#input({
      kind: "machine",
      wish: { kind: "guard", ...this.#snapshot.guard, ...change },
    });
  }

  sendChord(chord: Chord): void {
    this.#input({ kind: "chord", chord });
  }

  /** Shows or hides a phone's on-screen keyboard. Call it from a tap. */
  setOnScreenKeyboard(shown: boolean): void {
    this.#keyboard.setOnScreen(shown);
    this.#update({ onScreenKeyboard: shown });
    // Browsers look at the field when it gets the focus.
    this.#field.blur();
    if (shown) this.focus();
  }

  /**
   * Fills the screen with `element`, and asks for the keys that the technician's own system
   * would take (Alt+Tab, the Windows key, Escape), where the browser can do that.
   */
  async enterFullScreen(element: HTMLElement = this.#root): Promise<void> {
    await element.requestFullscreen({ navigationUI: "hide" });
    await keyboardLock()
      ?.lock()
      .catch(() => {});
  }

  async leaveFullScreen(): Promise<void> {
    keyboardLock()?.unlock();
    if (document.fullscreenElement) await document.exitFullscreen();
  }

  /** Asks for the whole picture anew. */
  refresh(): void {
    this.#send({ kind: "refresh" });
  }

  /** Asks the person at the machine for mouse and keyboard. */
  requestControl(): void {
    if (this.#snapshot.consent !== "view_only" || this.#snapshot.elevation === "asked") return;
    this.#update({ consent: "control_pending" });
    this.#send({ kind: "request_control" });
  }

  /** Asks the person at the machine for administrator rights; on a yes, the agent starts anew. */
  requestElevation(): void {
    const { elevation, consent } = this.#snapshot;
    if (elevation !== "possible" || consent === "pending" || consent === "control_pending") return;
    this.#update({ elevation: "asked" });
    this.#send({ kind: "request_elevation" });
  }

  /** Does not wait for the next attempt, or begins again after an end. */
  reconnect(): void {
    this.#connection.handleRetryNow();
    this.#connection.handleRestart();
    this.#pump();
  }

  /**
   * Accepts that the machine has another key than the one this browser remembers, and connects.
   * For people who know why it changed.
   */
  trustNewKey(): void {
    this.#pins.delete(this.#options.machineId);
    this.reconnect();
  }

  /** Says goodbye to the machine and takes everything out of the page. */
  close(): void {
    if (this.#closed) return;
    this.#connection.handleClose();
    this.#pump();
    this.#closed = true;
    this.#abort.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#statsTimer);
    this.#keyboard.close();
    this.#pointer.close();
    this.#cursor.close();
    this.#screen.close();
    this.#root.remove();
    this.#emitter.clear();
    keyboardLock()?.unlock();
    // A moment for the goodbye to leave.
    setTimeout(() => this.#worker.terminate(), 250);
  }

  // What the connection wants done

  #pump(): void {
    if (this.#closed) return;
    for (
      let output = this.#connection.pollOutput();
      output;
      output = this.#connection.pollOutput()
    ) {
      switch (output.kind) {
        case "get_session":
          void this.#getSession(output.request);
          break;
        case "open":
          this.#open(output.link, output.session);
          break;
        case "close":
          this.#send({ kind: "close", goodbye: output.goodbye });
          this.#link = 0;
          break;
        case "state":
          this.#changeState(output.state);
          break;
      }
    }
    clearTimeout(this.#timer);
    const deadline = this.#connection.pollTimeout();
    if (deadline === null) return;
    this.#timer = setTimeout(
      () => {
        this.#connection.handleTimeout(performance.now());
        this.#pump();
      },
      Math.max(0, deadline - performance.now()),
    );
  }

  async #getSession(request: number): Promise<void> {
    try {
      const session = await this.#options.getSession();
      const pinned = this.#pins.get(this.#options.machineId);
      if (pinned !== null && pinned !== session.agent_public_key) throw new AgentKeyChangedError();
      this.#connection.handleSession(performance.now(), request, session);
    } catch (error) {
      const { code } = error as { code?: unknown };
      this.#connection.handleSessionFailed(
        performance.now(),
        request,
        typeof code === "string" ? code : null,
      );
    }
    this.#pump();
  }

  #open(link: number, session: SessionInfo): void {
    this.#link = link;
    this.#offeredKey = session.agent_public_key;
    this.#send({
      kind: "open",
      link,
      session,
      preferences: this.#preferences(),
      software: this.#options.software ?? "viewer",
    });
  }

  #changeState(state: ConnectionState): void {
    const { style } = this.#screen.canvas;
    // What is shown is the past: it stays visible, dimmed, until there is a present again.
    style.opacity = state.kind === "connected" ? "" : "0.45";
    style.filter = state.kind === "connected" ? "" : "grayscale(0.8)";
    if (state.kind !== "connected") {
      this.#pointer.reset();
      this.#statistics.reset();
    }
    this.#update({ state });
    this.#emitter.emit({ kind: "state", state });
  }

  // What the worker says

  #fromWorker(message: FromWorker): void {
    if (this.#closed) {
      if (message.kind === "film") message.image.close();
      return;
    }
    if (message.kind === "broken") {
      this.#connection.handleBroken(`The viewer cannot run here: ${message.message}.`);
      this.#pump();
      return;
    }
    if (message.link !== this.#link) {
      if (message.kind === "film") message.image.close();
      return;
    }
    switch (message.kind) {
      case "frame":
      case "tiles":
      case "film":
        this.#paint(message);
        break;
      case "event":
        this.#coreEvent(message.event);
        break;
      case "closed":
        this.#connection.handleClosed(performance.now(), message.link, message.code);
        this.#pump();
        break;
    }
  }

  #paint(part: Extract<FromWorker, { kind: "frame" | "tiles" | "film" }>): void {
    const start = performance.now();
    if (part.kind === "film") {
      this.#screen.paintFilm(part.film, part.image);
      part.image.close();
    } else {
      const { rects } = part.kind === "frame" ? part.frame : part;
      this.#screen.paint(rects, part.pixels);
    }
    const end = performance.now();
    const pixels = part.kind === "film" ? null : part.pixels;
    const sequence = part.kind === "tiles" ? part.sequence : part.frame.sequence;
    this.#worker.postMessage(
      { kind: "painted", link: this.#link, sequence, pixels } satisfies ToWorker,
      pixels ? [pixels] : [],
    );
    // A frame with a film is painted when its film is.
    if (part.kind === "film" || (part.kind === "frame" && !part.frame.film)) {
      this.#statistics.handlePainted(end, part.frame, part.decodeMs, end - start);
    }
    if (!this.#snapshot.hasPicture) this.#update({ hasPicture: true });
  }

  #coreEvent(event: CoreEvent): void {
    switch (event.type) {
      case "connected": {
        const { machineId } = this.#options;
        if (this.#offeredKey !== null) this.#pins.set(machineId, this.#offeredKey);
        this.#cursor.reset();
        const { software, os_family: osFamily, rights, features } = event;
        this.#update({
          remote: { software, osFamily, rights, features },
          consent: consentOf(event),
          elevation: elevationOf(features),
          words: event.words,
          paused: false,
          desktopSessions: [],
          guard: NO_GUARD,
        });
        this.#displayAsked = false;
        this.#applyViewOnly();
        this.#connection.handleConnected(this.#link);
        this.#pump();
        // The technician can type at once, unless they are busy elsewhere on the page.
        if (document.activeElement === document.body) this.focus();
        break;
      }
      case "consent":
        this.#consentAnswered(event);
        break;
      case "paused":
        if (event.paused) this.#releaseAll();
        this.#update({ paused: event.paused });
        break;
      case "layout":
        this.#screen.setPicture({ width: event.width, height: event.height });
        this.#update({
          picture: { width: event.width, height: event.height },
          displays: event.displays,
          display: event.only,
        });
        this.#keepDisplay(event);
        break;
      case "desktop_sessions":
        this.#update({ desktopSessions: event.sessions });
        break;
      case "screen_source":
        this.#statistics.handleScreenSource(event.method, event.reason);
        break;
      case "guard":
        this.#guardChanged(event);
        break;
      case "cursor_shape":
        this.#cursor.handleShape(event);
        break;
      case "cursor_position":
        this.#cursor.handlePosition(event.x, event.y, event.visible);
        break;
      case "pong":
        this.#statistics.handleRoundTrip(event.rtt_us);
        break;
      case "notice":
        if (event.code === "elevation_failed") this.#update({ elevation: "possible" });
        this.#emitter.emit({
          kind: "notice",
          code: event.code,
          message: NOTICE_MESSAGE[event.code] ?? "The machine reported something unusual.",
        });
        break;
      case "ended":
        this.#connection.handleCoreEnded(performance.now(), this.#link, event.code, event.message);
        this.#pump();
        break;
    }
  }

  #elevationAnswered(outcome: ConsentOutcome): void {
    this.#update({ elevation: outcome === "allowed" ? "starting" : "possible" });
    if (outcome === "allowed") return;
    this.#emitter.emit({
      kind: "notice",
      code: `elevation_${outcome}`,
      message:
        outcome === "declined"
          ? "The person at the machine did not agree to administrator rights."
          : "Nobody at the machine answered, so there are no administrator rights.",
    });
  }

  /** A new connection begins with all displays; what the technician chose is chosen again. */
  #keepDisplay({ only, displays }: Extract<CoreEvent, { type: "layout" }>): void {
    const id = this.#wantedDisplay;
    if (id === null || only === id || this.#displayAsked) return;
    this.#displayAsked = true;
    if (!displays.some((display) => display.id === id)) return;
    this.#send({ kind: "machine", wish: { kind: "display", id } });
  }

  #guardChanged({ block_input, blank_screen, detail }: Extract<CoreEvent, { type: "guard" }>) {
    this.#update({ guard: { block_input, blank_screen } });
    if (detail === "") return;
    this.#emitter.emit({
      kind: "notice",
      code: "guard_refused",
      message: `The machine did not do all of that: ${detail}.`,
    });
  }

  #consentAnswered(event: Extract<CoreEvent, { type: "consent" }>): void {
    const { remote, elevation } = this.#snapshot;
    if (!remote) return;
    if (event.request_id !== 0 && elevation === "asked") {
      this.#elevationAnswered(event.outcome);
      return;
    }
    const { rights } = event;
    this.#update({
      remote: { ...remote, rights },
      consent: rights.includes("control") ? "settled" : "view_only",
    });
    this.#applyViewOnly();
    if (event.request_id === 0 || event.outcome === "allowed") return;
    this.#emitter.emit({
      kind: "notice",
      code: `control_${event.outcome}`,
      message:
        event.outcome === "declined"
          ? "The person at the machine did not allow mouse and keyboard."
          : "Nobody at the machine answered, so mouse and keyboard stay with them.",
    });
  }

  // The page

  #listenToPage(): void {
    const options = { signal: this.#abort.signal };
    this.#field.addEventListener("blur", () => this.#releaseAll(), options);
    window.addEventListener("blur", () => this.#releaseAll(), options);
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.hidden) this.#releaseAll();
      },
      options,
    );
    window.addEventListener("pagehide", () => this.#releaseAll(), options);
    window.addEventListener(
      "online",
      () => {
        this.#connection.handleRetryNow();
        this.#pump();
      },
      options,
    );
    document.addEventListener(
      "fullscreenchange",
      () => {
        if (!document.fullscreenElement) keyboardLock()?.unlock();
      },
      options,
    );
  }

  #hovered(position: Point | null): void {
    this.#cursor.handleOurs(position);
  }

  #releaseAll(): void {
    this.#pointer.reset();
    this.#keyboard.releaseAll();
  }

  #scaled(): void {
    this.#cursor?.refresh();
    if (this.#snapshot && this.#screen && this.#snapshot.zoom !== this.#screen.zoom) {
      this.#update({ zoom: this.#screen.zoom });
    }
  }

  #canControl(): boolean {
    const { state, viewOnly, remote, paused } = this.#snapshot;
    if (paused || viewOnly || state.kind !== "connected") return false;
    return remote?.rights.includes("control") ?? false;
  }

  #applyViewOnly(): void {
    const { remote, viewOnly } = this.#snapshot;
    this.#cursor.setFollowing(!viewOnly && (remote === null || remote.rights.includes("control")));
  }

  #preferences() {
    return { quality: this.#snapshot.quality, view_only: this.#snapshot.viewOnly };
  }

  #sendPreferences(): void {
    this.#send({ kind: "preferences", preferences: this.#preferences() });
  }

  #input(message: ToWorker): void {
    if (this.#canControl()) this.#send(message);
  }

  #send(message: ToWorker): void {
    if (!this.#closed) this.#worker.postMessage(message);
  }

  #emitStats(): void {
    if (this.#snapshot.state.kind !== "connected") return;
    this.#emitter.emit({ kind: "stats", stats: this.stats() });
  }

  #update(change: Partial<ViewerSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.#emitter.emit({ kind: "snapshot", snapshot: this.#snapshot });
  }
}

interface KeyboardLock {
  lock(codes?: string[]): Promise<void>;
  unlock(): void;
}

/** Chromium's; other browsers have none. */
function keyboardLock(): KeyboardLock | undefined {
  return (navigator as { keyboard?: KeyboardLock }).keyboard;
}
