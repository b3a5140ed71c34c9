import type { FromWorker, ToWorker } from "../messages.ts";
import { BufferPool } from "./buffers.ts";
import { loadCore } from "./core.ts";
import { probeFilms } from "./films.ts";
import { Link, type LinkSocket } from "./link.ts";
import { type Paint, Pictures } from "./pictures.ts";

/** The worker's entry: one core module, one buffer pool, at most one connection at a time. */

declare const self: DedicatedWorkerGlobalScope;

const core = loadCore(new URL("../../wasm/guruconnect_viewer.wasm", import.meta.url));
const buffers = new BufferPool();
const films = probeFilms();
let link: Link | null = null;
let pictures: Pictures | null = null;
let linkNumber = 0;

core.catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  post({ kind: "broken", message });
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "painted") {
    if (data.pixels) buffers.giveBack(data.pixels);
    if (data.link === linkNumber) pictures?.handlePainted(data.sequence);
  } else if (data.kind === "open") void open(data);
  else if (data.kind === "close") closeLink(data.goodbye);
  else link?.handle(data);
};

async function open(message: Extract<ToWorker, { kind: "open" }>): Promise<void> {
  closeLink(false);
  linkNumber = message.link;
  const number = message.link;
  const [openCore, decodes] = await Promise.all([core, films]);
  // Replaced or closed while the core was loading.
  if (number !== linkNumber) return;

  const socket = new WebSocket(message.session.websocket_url);
  const config = {
    session: message.session,
    preferences: message.preferences,
    software: message.software,
    films: decodes,
  };
  const opened = new Link(
    socket as LinkSocket,
    () => {
      const seed = crypto.getRandomValues(new Uint8Array(32));
      return openCore({ ...config, seed }, performance.now() * 1_000);
    },
    {
      onEvent: (event) => post({ kind: "event", link: number, event }),
      onFrame: (...frame) => shown.handleFrame(...frame),
      onClosed: (code) => {
        shown.close();
        post({ kind: "closed", link: number, code });
      },
    },
  );
  const shown = new Pictures(
    {
      paint: (paint) => postPaint(number, paint),
      painted: (sequence) => opened.painted(sequence),
      filmFailed: (attempt, format) => opened.filmFailed(attempt, format),
    },
    buffers,
  );
  link = opened;
  pictures = shown;
}

function postPaint(number: number, paint: Paint): void {
  post({ ...paint, link: number }, paint.kind === "film" ? [paint.image] : [paint.pixels]);
}

function closeLink(goodbye: boolean): void {
  linkNumber = 0;
  link?.close(goodbye);
  link = null;
  pictures = null;
}

function post(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}
