// @ts-check
// The remote desktops that are measured side by side. To add one: start its agent and its
// relay on the given desktop, name their process ids and the port that the browser talks
// to, and bring a page to the point where the remote screen stands on a canvas.

import { startDesktop } from "../../scripts/lib/desktop.mjs";
import { guruconnect } from "./guruconnect.mjs";
import { meshcentral } from "./meshcentral.mjs";
import { vnc, xvnc } from "./vnc.mjs";

/**
 * @typedef {{ desktop: import('../../scripts/lib/desktop.mjs').Desktop, folder: string,
 *   cleanup: import('../../scripts/lib/processes.mjs').Cleanup }} StackOptions
 * @typedef {{ agent: number[], relay: number[], port: number, selfSigned?: boolean,
 *   open?: (page: import('playwright-core').Page, port?: number) => Promise<void> }} Stack
 *   `open` comes through another port when something stands between browser and relay;
 *   `selfSigned`: the relay's certificate is of its own making
 */

/** What a stack needs in place of the usual desktop. @type {Record<string, typeof startDesktop>} */
export const desktops = { xvnc: xvnc.desktop };

/** Nobody watches: what the scene itself costs the X server. @type {(options: StackOptions) => Promise<Stack>} */
const nobody = async () => ({ agent: [], relay: [], port: 0 });

/** @type {Record<string, (options: StackOptions) => Promise<Stack>>} */
export const stacks = {
  guruconnect,
  x11vnc: vnc("x11vnc"),
  x0vncserver: vnc("x0vncserver"),
  xvnc: xvnc.stack,
  meshcentral,
  nobody,
};
