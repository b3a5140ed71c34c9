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
export type {
  ConsentState,
  ElevationState,
  RemoteInfo,
  ViewerSnapshot,
} from "./snapshot.ts";
export type { LatencyParts, ViewerStats } from "./statistics.ts";
export type { Subscribable } from "./subscribable.ts";
export { Viewer, type ViewerEvent, type ViewerOptions } from "./viewer.ts";
