/**
 * What the page and its worker say to each other. The worker owns the socket and the core; the
 * page owns the canvas and the input devices.
 */

export type Quality = "auto" | "low" | "medium" | "high";
export type OsFamily = "windows" | "linux" | "macos";
export type Right = "view" | "control";
export type Feature =
  | "cursor"
  | "text_input"
  | "secure_attention"
  /** A person is at the machine, who may be asked for more. */
  | "consent"
  /** They may be asked for administrator rights for the agent. */
  | "elevation"
  /** The agent has administrator rights. */
  | "elevated"
  /** One display alone can be shown. */
  | "select_display"
  | "block_input"
  | "blank_screen";

/** The server's answer to starting or rejoining a session: good for one connection. */
export interface SessionInfo {
  session_id: string;
  participant_id: string;
  websocket_url: string;
  /** Base64: the key that the machine's agent must prove to hold. */
  agent_public_key: string;
  /** Base64: what the agent needs to let us in. */
  signed_grant: string;
}

export interface KeyInput {
  /** `KeyboardEvent.code`; empty for text that no single key makes (composition, on-screen keyboard). */
  code: string;
  down: boolean;
  text: string | null;
  /** Bits of `MODIFIER`. */
  modifiers: number;
  repeat: boolean;
}

/** Bits of `KeyInput.modifiers`. */
export const MODIFIER = {
  Shift: 1,
  Control: 2,
  Alt: 4,
  Meta: 8,
  AltGraph: 16,
  CapsLock: 32,
  NumLock: 64,
} as const;

export type Chord = { kind: "secure_attention" } | { kind: "keys"; codes: string[] };

/** What is wanted of the machine itself. */
export type MachineWish =
  /** Shows one display alone; `null`: all of them. */
  | { kind: "display"; id: number | null }
  /** Shows another login, to everybody who looks. */
  | { kind: "desktop_session"; id: number }
  | ({ kind: "guard" } & Guard);

/** What is kept from the person at the machine. */
export interface Guard {
  block_input: boolean;
  blank_screen: boolean;
}

export interface Preferences {
  quality: Quality;
  view_only: boolean;
}

export type ToWorker =
  | {
      kind: "open";
      link: number;
      session: SessionInfo;
      preferences: Preferences;
      software: string;
    }
  /** Ends the connection; with `goodbye` the other end is told that we do not come back. */
  | { kind: "close"; goodbye: boolean }
  /** One of the parts of an update is on the canvas; a buffer goes back to where it came from. */
  | { kind: "painted"; link: number; sequence: number; pixels: ArrayBuffer | null }
  | { kind: "pointer"; x: number; y: number; buttons: number }
  | { kind: "wheel"; x: number; y: number; dx: number; dy: number }
  | { kind: "key"; key: KeyInput }
  | { kind: "chord"; chord: Chord }
  | { kind: "release_all" }
  | { kind: "preferences"; preferences: Preferences }
  | { kind: "refresh" }
  | { kind: "machine"; wish: MachineWish }
  /** Asks the person at the machine for mouse and keyboard. */
  | { kind: "request_control" }
  /** Asks them for administrator rights. */
  | { kind: "request_elevation" };

export type FromWorker =
  | { kind: "event"; link: number; event: CoreEvent }
  | { kind: "frame"; link: number; frame: Frame; pixels: ArrayBuffer; decodeMs: number }
  /** Rectangles of an earlier frame that had to wait for the film below them. */
  | { kind: "tiles"; link: number; sequence: number; rects: Rect[]; pixels: ArrayBuffer }
  /** The frame's film, decoded. Whoever paints the image closes it. */
  | {
      kind: "film";
      link: number;
      frame: Frame;
      film: Film;
      image: VideoFrame;
      decodeMs: number;
    }
  | { kind: "closed"; link: number; code: number }
  /** The core cannot run here at all. */
  | { kind: "broken"; message: string };

/** `[x, y, width, height]` in picture pixels. */
export type Rect = readonly [number, number, number, number];

/** Video codecs that a browser may decode. */
export type FilmFormat = "vp9" | "h264" | "vp9_full_chroma";

/** One frame of a region that keeps changing. Painted after the frame's rectangles, none of which it covers. */
export interface Film {
  /** Another number is another stream: it begins with a key frame and a new decoder. */
  stream: number;
  format: FilmFormat;
  key: boolean;
  /** Where the whole film is in the picture. */
  area: Rect;
  /** Width and height of the coded picture, which is stretched over the area. */
  coded: readonly [number, number];
  /** What of it is to be painted, inside the area. */
  rects: Rect[];
  /** What packs the stream from this frame on; `null`: as was said of it before. */
  maker: FilmMaker | null;
}

/** A video encoder of the machine. */
export interface FilmMaker {
  /** The machine's words: hostile text. */
  name: string;
  /** The machine's hardware, not its processor. */
  hardware: boolean;
}

export type Limit = "nothing_changes" | "network" | "agent" | "viewer" | "frame_rate";

/** One update of the picture; its pixels are RGBA, rectangle after rectangle. */
export interface Frame {
  sequence: number;
  rects: Rect[];
  film: Film | null;
  complete: boolean;
  reduced: boolean;
  /** On the wire. */
  bytes: number;
  capture_us: number;
  encode_us: number;
  rtt_us: number;
  base_rtt_us: number;
  /** Bytes a second that arrived lately. */
  delivered_rate: number;
  limit: Limit;
  input_sequence: number;
  /** From the input to the frame that shows it; absent when no input waited for this frame. */
  input_latency_us: number | null;
}

export interface Display {
  id: number;
  name: string;
  /** Relative to the picture: a display that is not in it lies outside. */
  x: number;
  y: number;
  width: number;
  height: number;
  primary: boolean;
}

/** A login on the machine. */
export interface DesktopSession {
  id: number;
  /** Where its screen is: at the machine, or at somebody's remote desktop. */
  kind: "console" | "remote";
  /** Empty at a sign-in screen. */
  user: string;
  shown: boolean;
}

export type EndCode =
  | "agent_key_mismatch"
  | "refused"
  | "tampered"
  | "protocol"
  | "desktop_lost"
  | "ended_by_agent"
  | "ended_by_person"
  | "declined"
  | "no_answer"
  | "incompatible"
  | "goodbye"
  | "grant_expired";

export type ConsentOutcome = "allowed" | "declined" | "timed_out";

export type TwoWords = readonly [string, string];

export type CoreEvent =
  | {
      type: "connected";
      software: string;
      /** `null`: a system that this version does not know. */
      os_family: OsFamily | null;
      /** What is allowed now. */
      rights: Right[];
      features: Feature[];
      /** The person at the machine is being asked; nothing is shown before the answer. */
      consent_pending: boolean;
      /** The words that the person at the machine sees too. */
      words: TwoWords;
    }
  /** The person at the machine answered; `request_id` 0 is the question at the start. */
  | { type: "consent"; request_id: number; outcome: ConsentOutcome; rights: Right[] }
  /** The person at the machine paused the session, or resumed it. */
  | { type: "paused"; paused: boolean }
  /** `only` is the display that alone is in the picture. */
  | {
      type: "layout";
      width: number;
      height: number;
      displays: Display[];
      only: number | null;
    }
  | { type: "desktop_sessions"; sessions: DesktopSession[] }
  /** How the machine's screen is read, and why not in a better way. The agent's words. */
  | { type: "screen_source"; method: string; reason: string }
  /** `detail`: why it is not what was asked for; empty when it is. */
  | ({ type: "guard"; detail: string } & Guard)
  | {
      type: "cursor_shape";
      id: number | string;
      width: number;
      height: number;
      hot_x: number;
      hot_y: number;
      /** Base64; absent when the shape of this id was sent before. */
      rgba: string | null;
    }
  | { type: "cursor_position"; x: number; y: number; visible: boolean }
  | { type: "pong"; rtt_us: number }
  | {
      type: "notice";
      code: "input_unavailable" | "chord_unsupported" | "questions_closed" | "elevation_failed";
      detail: string;
    }
  | { type: "ended"; code: EndCode; message: string };
