import { Connection, type ConnectionState } from "./connection.ts";
import { afterAnswer, consentOf, elevationOf } from "./consent.ts";
import { RemoteCursor } from "./cursor.ts";
import { buildElements } from "./elements.ts";
import { enterFullScreen, leaveFullScreen, releaseKeyboardLock } from "./full-screen.ts";
import type { Scale } from "./geometry.ts";
import { detectPlatform, Keyboard } from "./keyboard.ts";
import type {
  Chord,
  CoreEvent,
  FromWorker,
  Guard,
  Quality,
  SessionInfo,
  ToWorker,
} from "./messages.ts";
import { guardNotice, guardOf, machineNotice, type Notice } from "./notices.ts";
import { listenToPage } from "./page.ts";
import { AgentKeyChangedError, LocalPinStore, type PinStore } from "./pins.ts";
import { PointerInput } from "./pointer.ts";
import { Screen } from "./screen.ts";
import { firstSnapshot, NO_GUARD, type ViewerSnapshot } from "./snapshot.ts";
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

export type ViewerEvent =
  | { kind: "snapshot"; snapshot: ViewerSnapshot }
  | { kind: "state"; state: ConnectionState }
  /** Twice a second while connected. */
  | { kind: "stats"; stats: ViewerStats }
  | ({ kind: "notice" } & Notice)
  /** Ctrl+Alt+Shift: the technician wants the keyboard back from the picture. */
  | { kind: "leave" };

/** 2 Hz: figures that a person can read. */
const STATS_MS = 500;

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
    this.#snapshot = firstSnapshot(this.#connection.state, options);

    const parts = buildElements();
    this.#root = parts.root;
    this.#field = parts.field;
    container.append(parts.root);
    this.#screen = new Screen(parts.viewport, parts.canvas, () => this.#scaled());
    this.#screen.setScale(this.#snapshot.scale);
    this.#cursor = new RemoteCursor(
      this.#screen,
      parts.overlay,
      () => this.#statistics.roundTripMs,
    );
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
        hovered: (position) => this.#cursor.handleOurs(position),
        pressed: () => this.focus(),
      },
      () => this.#keyboard.controlHeld,
      () => this.#statistics.deliveredRate,
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
    listenToPage(parts.field, this.#abort.signal, {
      left: () => this.#releaseAll(),
      online: () => {
        this.#connection.handleRetryNow();
        this.#pump();
      },
    });
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

  /** Fills the screen with `element`; see {@link enterFullScreen}. */
  async enterFullScreen(element: HTMLElement = this.#root): Promise<void> {
    await enterFullScreen(element);
  }

  async leaveFullScreen(): Promise<void> {
    await leaveFullScreen();
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
    releaseKeyboardLock();
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
        this.#update({ guard: guardOf(event) });
        this.#notify(guardNotice(event));
        break;
      case "cursor_shape":
        this.#cursor.handleShape(event);
        break;
      case "cursor_position":
        this.#cursor.handlePosition(event.x, event.y, event.visible);
        break;
      case "pong":
        this.#statistics.handleRoundTrip(performance.now(), event.rtt_us);
        break;
      case "notice":
        if (event.code === "elevation_failed") this.#update({ elevation: "possible" });
        this.#notify(machineNotice(event.code));
        break;
      case "ended":
        this.#connection.handleCoreEnded(performance.now(), this.#link, event.code, event.message);
        this.#pump();
        break;
    }
  }

  /** A new connection begins with all displays; what the technician chose is chosen again. */
  #keepDisplay({ only, displays }: Extract<CoreEvent, { type: "layout" }>): void {
    const id = this.#wantedDisplay;
    if (id === null || only === id || this.#displayAsked) return;
    this.#displayAsked = true;
    if (!displays.some((display) => display.id === id)) return;
    this.#send({ kind: "machine", wish: { kind: "display", id } });
  }

  /** What the person at the machine answered. */
  #consentAnswered(event: Extract<CoreEvent, { type: "consent" }>): void {
    const answered = afterAnswer(this.#snapshot, event);
    if (!answered) return;
    this.#update(answered.change);
    this.#applyViewOnly();
    this.#notify(answered.notice);
  }

  // The page

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

  #notify(notice: Notice | null): void {
    if (notice) this.#emitter.emit({ kind: "notice", ...notice });
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
