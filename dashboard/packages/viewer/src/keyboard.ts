import { type KeyInput, MODIFIER } from "./messages.ts";

export interface KeyboardSink {
  key(key: KeyInput): void;
  releaseAll(): void;
  /** Ctrl+Alt+Shift alone: the way out of the picture for people without a mouse. */
  leave(): void;
}

/** The technician's own system, where its browsers behave in their own way. */
export type Platform = "mac" | "windows" | "other";

/**
 * Keys that stay with the technician's computer: sound, media, brightness and power of the
 * keyboard in front of them. Everything else goes to the machine.
 */
const LOCAL_KEYS =
  /^(AudioVolume|Volume|Media|Brightness|LaunchMail|LaunchMedia|Power|WakeUp|Sleep|Eject)/;

const MODIFIER_CODES = /^(Shift|Control|Alt|Meta|OS)(Left|Right)$/;

/** Windows sends AltGr as Control and then Alt with the same time stamp, within a message or two. */
const ALT_GR_MS = 50;

/** What the hidden field holds between inputs, so that there is something to delete. */
const SEED = "\u00a0".repeat(8);
/** Composed as it is typed: letters that no input method turns into something else. */
const PLAIN_SCRIPT = /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]*$/u;

/**
 * Turns a browser's keyboard events into keys for the machine. Listens on a hidden text field,
 * because only a text field gets composed text (dead keys, input methods, on-screen keyboards).
 */
export class Keyboard {
  readonly #field: HTMLTextAreaElement;
  readonly #sink: KeyboardSink;
  readonly #platform: Platform;
  readonly #abort = new AbortController();
  /** INVARIANT: exactly the codes that the machine believes are down. */
  readonly #held = new Set<string>();
  /** An on-screen keyboard types into the field instead of pressing keys. */
  #onScreen = false;
  #composing = false;
  #fieldText = SEED;
  /** A Control that may turn out to be half of AltGr. */
  #pendingControl: { key: KeyInput; timer: ReturnType<typeof setTimeout> } | null = null;
  /** A Mac's Option key that may only be choosing a character. */
  #pendingOption: KeyInput | null = null;
  #optionTyped = false;
  #leaving = false;

  constructor(field: HTMLTextAreaElement, sink: KeyboardSink, platform: Platform) {
    this.#field = field;
    this.#sink = sink;
    this.#platform = platform;
    field.value = SEED;
    const options = { signal: this.#abort.signal };
    field.addEventListener("keydown", (event) => this.#keyDown(event), options);
    field.addEventListener("keyup", (event) => this.#keyUp(event), options);
    field.addEventListener("compositionstart", () => this.#compositionStart(), options);
    field.addEventListener("compositionend", (event) => this.#compositionEnd(event), options);
    field.addEventListener("input", (event) => this.#input(event as InputEvent), options);
    field.addEventListener("paste", (event) => event.preventDefault(), options);
    field.addEventListener("drop", (event) => event.preventDefault(), options);
  }

  /** True while a Control key is really held: a wheel event claims it for pinching too. */
  get controlHeld(): boolean {
    return this.#held.has("ControlLeft") || this.#held.has("ControlRight");
  }

  setOnScreen(onScreen: boolean): void {
    this.#onScreen = onScreen;
    this.#field.inputMode = onScreen ? "text" : "none";
  }

  /** Nothing stays pressed: the page lost the keyboard, or control. */
  releaseAll(): void {
    if (this.#pendingControl) clearTimeout(this.#pendingControl.timer);
    this.#pendingControl = null;
    this.#pendingOption = null;
    this.#held.clear();
    this.#leaving = false;
    this.#sink.releaseAll();
  }

  close(): void {
    this.#abort.abort();
    if (this.#pendingControl) clearTimeout(this.#pendingControl.timer);
  }

  #keyDown(event: KeyboardEvent): void {
    if (this.#belongsToField(event)) return;
    if (LOCAL_KEYS.test(event.key)) return;
    event.preventDefault();
    this.#leaving = isLeaveChord(event);

    const modifiers = modifiersOf(event);
    const { code, repeat } = event;
    if (this.#takesAltGr(event, modifiers)) return;
    this.#flushControl();
    if (this.#takesMacKey(event, modifiers)) return;

    if (repeat && !this.#held.has(code)) return;
    this.#press({ code, down: true, text: textOf(event), modifiers, repeat });
  }

  #keyUp(event: KeyboardEvent): void {
    if (!this.#belongsToField(event)) event.preventDefault();
    if (this.#leaving && MODIFIER_CODES.test(event.code)) {
      this.#leaving = false;
      this.releaseAll();
      this.#sink.leave();
      return;
    }
    if (this.#pendingControl?.key.code === event.code) this.#flushControl();
    if (this.#pendingOption?.code === event.code) this.#flushOption();
    if (this.#platform === "mac") {
      if (event.code === "CapsLock") {
        this.#tap(event);
        return;
      }
      // A Mac swallows the key-ups of everything that was pressed while Command was held.
      if (event.code === "MetaLeft" || event.code === "MetaRight") this.#releaseOthers(event.code);
    }
    this.#release(event.code, modifiersOf(event));
  }

  /** Text that is being composed is not ours until it is finished. */
  #belongsToField(event: KeyboardEvent): boolean {
    if (event.isComposing || event.keyCode === 229) return true;
    if (event.key === "Dead" || event.key === "Process") return true;
    return event.code === "" && (event.key === "Unidentified" || event.key === "");
  }

  /**
   * AltGr arrives on Windows as Control followed by Alt. Control waits a moment to be recognised;
   * if it was part of AltGr the machine never hears of it.
   */
  #takesAltGr(event: KeyboardEvent, modifiers: number): boolean {
    if (this.#platform !== "windows") return false;
    if (event.code === "ControlLeft" && !event.repeat && !this.#held.has("ControlLeft")) {
      const key = { code: event.code, down: true, text: null, modifiers, repeat: false };
      this.#flushControl();
      const timer = setTimeout(() => this.#flushControl(), ALT_GR_MS);
      this.#pendingControl = { key, timer };
      return true;
    }
    if (this.#pendingControl && event.code === "AltRight" && event.key === "AltGraph") {
      clearTimeout(this.#pendingControl.timer);
      this.#pendingControl = null;
    }
    return false;
  }

  #flushControl(): void {
    const pending = this.#pendingControl;
    if (!pending) return;
    clearTimeout(pending.timer);
    this.#pendingControl = null;
    this.#press(pending.key);
  }

  #takesMacKey(event: KeyboardEvent, modifiers: number): boolean {
    if (this.#platform !== "mac") return false;
    if (event.code === "CapsLock") {
      this.#tap(event);
      return true;
    }
    if (event.code === "AltLeft" || event.code === "AltRight") {
      if (!event.repeat) {
        this.#pendingOption = {
          code: event.code,
          down: true,
          text: null,
          modifiers,
          repeat: false,
        };
        this.#optionTyped = false;
      }
      return true;
    }
    if (event.altKey && this.#pendingOption && !event.metaKey && !event.ctrlKey) {
      const text = textOf(event);
      if (text !== null && event.code !== "Space") {
        this.#optionTyped = true;
        this.#type(text, (modifiers & ~MODIFIER.Alt) | MODIFIER.AltGraph);
        return true;
      }
    }
    this.#flushOption(true);
    if (event.metaKey && !MODIFIER_CODES.test(event.code)) {
      // Its key-up will not come.
      this.#press({ code: event.code, down: true, text: textOf(event), modifiers, repeat: false });
      this.#release(event.code, modifiers);
      return true;
    }
    return false;
  }

  /** Option turned out to be a modifier (`used`), or was tapped alone. */
  #flushOption(used = false): void {
    const option = this.#pendingOption;
    this.#pendingOption = null;
    if (option && (used || !this.#optionTyped)) this.#press(option);
  }

  /** A Mac reports Caps Lock as down when it goes on and up when it goes off. */
  #tap(event: KeyboardEvent): void {
    const modifiers = modifiersOf(event);
    this.#press({ code: event.code, down: true, text: null, modifiers, repeat: false });
    this.#release(event.code, modifiers);
  }

  #press(key: KeyInput): void {
    this.#held.add(key.code);
    this.#sink.key(key);
  }

  #release(code: string, modifiers: number): void {
    if (!this.#held.delete(code)) return;
    this.#sink.key({ code, down: false, text: null, modifiers, repeat: false });
  }

  #releaseOthers(code: string): void {
    for (const held of [...this.#held]) {
      if (held !== code && !MODIFIER_CODES.test(held)) this.#release(held, 0);
    }
  }

  /** Text without a key of its own. */
  #type(text: string, modifiers = 0): void {
    for (const character of text) {
      const key = { code: "", text: character, modifiers, repeat: false };
      this.#sink.key({ ...key, down: true });
      this.#sink.key({ ...key, down: false, text: null });
    }
  }

  #tapKey(code: string): void {
    this.#press({ code, down: true, text: null, modifiers: 0, repeat: false });
    this.#release(code, 0);
  }

  #compositionStart(): void {
    this.#composing = true;
  }

  #compositionEnd(event: CompositionEvent): void {
    this.#composing = false;
    if (this.#onScreen) this.#typeDifference();
    else if (event.data) this.#type(event.data);
    this.#resetField();
  }

  #input(event: InputEvent): void {
    if (this.#onScreen) {
      // Letters appear on the machine while a word is still being composed; an input method's
      // intermediate spelling does not.
      if (this.#composing && !PLAIN_SCRIPT.test(event.data ?? "")) return;
      this.#typeDifference();
      if (!this.#composing) this.#resetField();
      return;
    }
    if (this.#composing || event.isComposing) return;
    // Not from a composition: an emoji picker, dictation, a key without a code.
    if (event.inputType === "insertText" && event.data) this.#type(event.data);
    this.#resetField();
  }

  /** An on-screen keyboard only shows what the field has become: type what is different. */
  #typeDifference(): void {
    const before = [...this.#fieldText];
    const after = [...this.#field.value];
    let same = 0;
    while (same < before.length && same < after.length && before[same] === after[same]) same += 1;
    for (let index = same; index < before.length; index += 1) this.#tapKey("Backspace");
    for (const character of after.slice(same)) {
      if (character === "\n") this.#tapKey("Enter");
      else this.#type(character === "\u00a0" ? " " : character);
    }
    this.#fieldText = this.#field.value;
  }

  #resetField(): void {
    this.#field.value = SEED;
    this.#fieldText = SEED;
    this.#field.setSelectionRange(SEED.length, SEED.length);
  }
}

function isLeaveChord(event: KeyboardEvent): boolean {
  return (
    MODIFIER_CODES.test(event.code) &&
    event.ctrlKey &&
    event.altKey &&
    event.shiftKey &&
    !event.metaKey
  );
}

/** The character this key makes, if it makes exactly one. */
function textOf(event: KeyboardEvent): string | null {
  return [...event.key].length === 1 ? event.key : null;
}

function modifiersOf(event: KeyboardEvent): number {
  let bits = 0;
  for (const [name, bit] of Object.entries(MODIFIER)) {
    if (event.getModifierState(name)) bits |= bit;
  }
  // AltGr chooses a character; it is not Control and Alt, whatever Windows says.
  if (bits & MODIFIER.AltGraph) bits &= ~(MODIFIER.Control | MODIFIER.Alt);
  return bits;
}

export function detectPlatform(): Platform {
  const name = navigator.platform || navigator.userAgent;
  if (/Mac|iPhone|iPad|iPod/i.test(name)) return "mac";
  return /Win/i.test(name) ? "windows" : "other";
}
