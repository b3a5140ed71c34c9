import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Keyboard, type Platform } from "./keyboard.ts";
import { type KeyInput, MODIFIER } from "./messages.ts";

/** A keyboard in front of a technician, and what the machine gets from it. */
function keyboard(platform: Platform = "other") {
  const field = document.createElement("textarea");
  document.body.append(field);
  const keys: KeyInput[] = [];
  const released = vi.fn();
  const left = vi.fn();
  const under = new Keyboard(
    field,
    { key: (key) => keys.push(key), releaseAll: released, leave: left },
    platform,
  );
  const fire = (type: string, init: KeyboardEventInit, states: string[] = []) => {
    const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, ...init });
    const held = new Set(states);
    if (init.shiftKey) held.add("Shift");
    if (init.ctrlKey) held.add("Control");
    if (init.altKey) held.add("Alt");
    if (init.metaKey) held.add("Meta");
    Object.defineProperty(event, "getModifierState", { value: (name: string) => held.has(name) });
    field.dispatchEvent(event);
    return event;
  };
  return {
    under,
    field,
    keys,
    released,
    left,
    down: (code: string, key: string, init: KeyboardEventInit = {}, states: string[] = []) =>
      fire("keydown", { code, key, ...init }, states),
    up: (code: string, key: string, init: KeyboardEventInit = {}, states: string[] = []) =>
      fire("keyup", { code, key, ...init }, states),
    compose: (data: string) => {
      field.dispatchEvent(new CompositionEvent("compositionstart"));
      field.value += data;
      field.dispatchEvent(new InputEvent("input", { data, isComposing: true }));
      field.dispatchEvent(new CompositionEvent("compositionend", { data }));
    },
    /** What an on-screen keyboard does: it changes the field. */
    retype: (change: (text: string) => string, data: string | null = null) => {
      field.value = change(field.value);
      field.dispatchEvent(new InputEvent("input", { data, inputType: "insertText" }));
    },
    /** `+KeyA:a` for a press with its text, `-KeyA` for a release, `Shift+…` bits left out. */
    story: () =>
      keys.map(({ code, down, text }) => `${down ? "+" : "-"}${code}${text ? `:${text}` : ""}`),
  };
}

describe("Keyboard", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    document.body.replaceChildren();
  });

  it("sends the physical key and the character of the technician's own layout", () => {
    const it = keyboard();

    // The key that is Z on a German keyboard is KeyY.
    it.down("KeyY", "z");
    it.up("KeyY", "z");

    expect(it.story()).toEqual(["+KeyY:z", "-KeyY"]);
  });

  it("keeps the browser from acting on a key", () => {
    const it = keyboard();

    expect(it.down("KeyW", "w", { ctrlKey: true }).defaultPrevented).toBe(true);
    expect(it.down("F5", "F5").defaultPrevented).toBe(true);
    expect(it.down("Tab", "Tab").defaultPrevented).toBe(true);
  });

  it("leaves sound and media keys to the computer in front of the technician", () => {
    const it = keyboard();

    const event = it.down("AudioVolumeUp", "AudioVolumeUp");

    expect(event.defaultPrevented).toBe(false);
    expect(it.keys).toEqual([]);
  });

  it("tells modifiers and locks", () => {
    const it = keyboard();

    it.down("KeyA", "A", { shiftKey: true }, ["CapsLock", "NumLock"]);

    expect(it.keys[0]?.modifiers).toBe(MODIFIER.Shift | MODIFIER.CapsLock | MODIFIER.NumLock);
  });

  it("repeats a held key and ignores repeats of a key it never saw go down", () => {
    const it = keyboard();

    it.down("KeyB", "b", { repeat: true });
    it.down("KeyA", "a");
    it.down("KeyA", "a", { repeat: true });

    expect(it.keys.map(({ code, repeat }) => [code, repeat])).toEqual([
      ["KeyA", false],
      ["KeyA", true],
    ]);
  });

  it("sends a key-up only for what is down", () => {
    const it = keyboard();

    it.up("Enter", "Enter");

    expect(it.keys).toEqual([]);
  });

  it("does not send the Control that Windows puts before AltGr", () => {
    const it = keyboard("windows");

    it.down("ControlLeft", "Control", { ctrlKey: true });
    it.down("AltRight", "AltGraph", { ctrlKey: true, altKey: true }, ["AltGraph"]);
    it.down("KeyQ", "@", { ctrlKey: true, altKey: true }, ["AltGraph"]);

    expect(it.story()).toEqual(["+AltRight", "+KeyQ:@"]);
    expect(it.keys[1]?.modifiers).toBe(MODIFIER.AltGraph);
  });

  it("sends a real Control on Windows, before the key that follows or after a moment", () => {
    const it = keyboard("windows");

    it.down("ControlLeft", "Control", { ctrlKey: true });
    it.down("KeyC", "c", { ctrlKey: true });
    it.up("KeyC", "c", { ctrlKey: true });
    it.up("ControlLeft", "Control");
    it.down("ControlLeft", "Control", { ctrlKey: true });
    vi.advanceTimersByTime(60);

    expect(it.story()).toEqual([
      "+ControlLeft",
      "+KeyC:c",
      "-KeyC",
      "-ControlLeft",
      "+ControlLeft",
    ]);
  });

  it("types the result of a dead key and nothing before it is finished", () => {
    const it = keyboard();

    it.down("Quote", "Dead");
    it.compose("é");
    it.up("KeyE", "e");

    expect(it.story()).toEqual(["+:é", "-"]);
  });

  it("types what an input method composed, and none of its spelling", () => {
    const it = keyboard();

    it.down("KeyN", "Process", { keyCode: 229 } as KeyboardEventInit);
    it.compose("日本");

    expect(it.story()).toEqual(["+:日", "-", "+:本", "-"]);
  });

  it("releases at once what is pressed with Command on a Mac, whose key-up never comes", () => {
    const it = keyboard("mac");

    it.down("MetaLeft", "Meta", { metaKey: true });
    it.down("KeyC", "c", { metaKey: true });
    it.up("MetaLeft", "Meta");

    expect(it.story()).toEqual(["+MetaLeft", "+KeyC:c", "-KeyC", "-MetaLeft"]);
  });

  it("releases keys that were down before Command on a Mac", () => {
    const it = keyboard("mac");

    it.down("KeyA", "a");
    it.down("MetaLeft", "Meta", { metaKey: true });
    it.up("MetaLeft", "Meta");

    expect(it.story()).toEqual(["+KeyA:a", "+MetaLeft", "-KeyA", "-MetaLeft"]);
  });

  it("types the characters of a Mac's Option key without pressing Alt", () => {
    const it = keyboard("mac");

    it.down("AltLeft", "Alt", { altKey: true });
    it.down("KeyL", "@", { altKey: true });
    it.up("KeyL", "@", { altKey: true });
    it.up("AltLeft", "Alt");

    expect(it.story()).toEqual(["+:@", "-"]);
    expect(it.keys[0]?.modifiers).toBe(MODIFIER.AltGraph);
  });

  it("presses Alt when a Mac's Option key goes with a key that types nothing", () => {
    const it = keyboard("mac");

    it.down("AltLeft", "Alt", { altKey: true });
    it.down("F4", "F4", { altKey: true });
    it.up("F4", "F4", { altKey: true });
    it.up("AltLeft", "Alt");

    expect(it.story()).toEqual(["+AltLeft", "+F4", "-F4", "-AltLeft"]);
  });

  it("taps Caps Lock for each change that a Mac reports", () => {
    const it = keyboard("mac");

    it.down("CapsLock", "CapsLock");
    it.up("CapsLock", "CapsLock");

    expect(it.story()).toEqual(["+CapsLock", "-CapsLock", "+CapsLock", "-CapsLock"]);
  });

  it("types what an on-screen keyboard writes, letter by letter", () => {
    const it = keyboard();
    it.under.setOnScreen(true);

    it.retype((text) => `${text}h`, "h");
    it.retype((text) => `${text}i`, "i");

    expect(it.story()).toEqual(["+:h", "-", "+:i", "-"]);
  });

  it("corrects with Backspace what an on-screen keyboard corrects", () => {
    const it = keyboard();
    it.under.setOnScreen(true);

    it.retype((text) => text.slice(0, -2));

    expect(it.story()).toEqual(["+Backspace", "-Backspace", "+Backspace", "-Backspace"]);
  });

  it("asks to release everything and forgets what was held", () => {
    const it = keyboard();
    it.down("ShiftLeft", "Shift", { shiftKey: true });

    it.under.releaseAll();
    it.up("ShiftLeft", "Shift");

    expect(it.released).toHaveBeenCalledOnce();
    expect(it.story()).toEqual(["+ShiftLeft"]);
  });

  it("lets the technician leave with Ctrl, Alt and Shift, but not with a longer combination", () => {
    const it = keyboard();
    const held = { ctrlKey: true, altKey: true, shiftKey: true };

    it.down("ShiftLeft", "Shift", held);
    it.down("KeyX", "X", held);
    it.up("ShiftLeft", "Shift", { ctrlKey: true, altKey: true });
    expect(it.left).not.toHaveBeenCalled();

    it.down("ShiftLeft", "Shift", held);
    it.up("ShiftLeft", "Shift", { ctrlKey: true, altKey: true });
    expect(it.left).toHaveBeenCalledOnce();
    expect(it.released).toHaveBeenCalledOnce();
  });
});
