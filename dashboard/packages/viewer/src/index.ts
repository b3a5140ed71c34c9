export { chordsFor, type NamedChord, secureAttention } from "./chords.ts";
export type { ConnectionState, EndReason, LostReason } from "./connection.ts";
export type { Scale, Size } from "./geometry.ts";
export type {
  Chord,
  DesktopSession,
  Display,
  Feature,
  Guard,
  OsFamily,
  Quality,
  Right,
  SessionInfo,
  TwoWords,
} from "./messages.ts";
export { AgentKeyChangedError, LocalPinStore, type PinStore } from "./pins.ts";
export { preloadViewer } from "./preload.ts";
export type { LatencyParts, ViewerStats } from "./statistics.ts";
export type { Subscribable } from "./subscribable.ts";
export {
  type ConsentState,
  type ElevationState,
  type RemoteInfo,
  Viewer,
  type ViewerEvent,
  type ViewerOptions,
  type ViewerSnapshot,
} from "./viewer.ts";
