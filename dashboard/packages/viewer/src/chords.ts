import type { Chord, Feature, OsFamily } from "./messages.ts";

/** A key combination that the browser or the technician's own system would keep for itself. */
export interface NamedChord {
  id: string;
  label: string;
  chord: Chord;
}

const keys = (...codes: string[]): Chord => ({ kind: "keys", codes });

const WINDOWS: NamedChord[] = [
  { id: "win", label: "Windows key", chord: keys("MetaLeft") },
  { id: "win-r", label: "Win + R (Run)", chord: keys("MetaLeft", "KeyR") },
  { id: "win-e", label: "Win + E (Explorer)", chord: keys("MetaLeft", "KeyE") },
  { id: "win-d", label: "Win + D (Desktop)", chord: keys("MetaLeft", "KeyD") },
  { id: "win-l", label: "Win + L (Lock)", chord: keys("MetaLeft", "KeyL") },
  { id: "alt-tab", label: "Alt + Tab", chord: keys("AltLeft", "Tab") },
  { id: "alt-f4", label: "Alt + F4", chord: keys("AltLeft", "F4") },
  {
    id: "task-manager",
    label: "Ctrl + Shift + Esc",
    chord: keys("ControlLeft", "ShiftLeft", "Escape"),
  },
  { id: "print-screen", label: "Print Screen", chord: keys("PrintScreen") },
];

const LINUX: NamedChord[] = [
  { id: "super", label: "Super key", chord: keys("MetaLeft") },
  { id: "alt-tab", label: "Alt + Tab", chord: keys("AltLeft", "Tab") },
  { id: "alt-f4", label: "Alt + F4", chord: keys("AltLeft", "F4") },
  { id: "alt-f2", label: "Alt + F2 (Run)", chord: keys("AltLeft", "F2") },
  { id: "terminal", label: "Ctrl + Alt + T", chord: keys("ControlLeft", "AltLeft", "KeyT") },
  { id: "print-screen", label: "Print Screen", chord: keys("PrintScreen") },
];

const MACOS: NamedChord[] = [
  { id: "spotlight", label: "Cmd + Space", chord: keys("MetaLeft", "Space") },
  { id: "cmd-tab", label: "Cmd + Tab", chord: keys("MetaLeft", "Tab") },
  { id: "cmd-q", label: "Cmd + Q", chord: keys("MetaLeft", "KeyQ") },
  { id: "force-quit", label: "Cmd + Option + Esc", chord: keys("MetaLeft", "AltLeft", "Escape") },
];

/**
 * Ctrl+Alt+Del. Windows accepts it only from a privileged agent, which then says so in its
 * features; elsewhere it is three keys like any others. `null`: this machine cannot do it.
 */
export function secureAttention(
  osFamily: OsFamily | null,
  features: readonly Feature[],
): Chord | null {
  if (features.includes("secure_attention")) return { kind: "secure_attention" };
  return osFamily === "windows" ? null : keys("ControlLeft", "AltLeft", "Delete");
}

export function chordsFor(osFamily: OsFamily | null): NamedChord[] {
  if (osFamily === "windows") return WINDOWS;
  return osFamily === "macos" ? MACOS : LINUX;
}
