import type { ConnectionState } from "./connection.ts";
import type { Scale, Size } from "./geometry.ts";
import type {
  DesktopSession,
  Display,
  Feature,
  Guard,
  OsFamily,
  Quality,
  Right,
  TwoWords,
} from "./messages.ts";

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

/** What a technician may choose before the first connection. */
interface Choices {
  quality?: Quality;
  viewOnly?: boolean;
  scale?: Scale;
}

export const NO_GUARD: Guard = { block_input: false, blank_screen: false };

export function firstSnapshot(state: ConnectionState, choices: Choices): ViewerSnapshot {
  return {
    state,
    remote: null,
    picture: null,
    displays: [],
    display: null,
    desktopSessions: [],
    guard: NO_GUARD,
    hasPicture: false,
    quality: choices.quality ?? "auto",
    viewOnly: choices.viewOnly ?? false,
    scale: choices.scale ?? "fit",
    zoom: 1,
    onScreenKeyboard: false,
    consent: "settled",
    elevation: "not_attended",
    words: null,
    paused: false,
  };
}
