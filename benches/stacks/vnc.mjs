// @ts-check
// The peers: a VNC server on the display, websockify as its relay, noVNC in the browser.

import { startDesktop } from "../../scripts/lib/desktop.mjs";
import { freePort, Program, portAnswers, until } from "../../scripts/lib/processes.mjs";

const NOVNC = "/usr/share/novnc";

/** @type {Record<string, (display: number, port: number) => { command: string, args: string[] }>} */
const servers = {
  x11vnc: (display, port) => ({
    command: "x11vnc",
    args: [
      "-display",
      `:${display}`,
      "-rfbport",
      String(port),
      "-localhost",
      "-nopw",
      "-forever",
      "-shared",
      "-quiet",
    ],
  }),
  // The program itself: Debian's x0vncserver is a script that starts it out of sight.
  x0vncserver: (display, port) => ({
    command: "X0tigervnc",
    args: [
      "-display",
      `:${display}`,
      "-rfbport",
      String(port),
      "-localhost",
      "-SecurityTypes",
      "None",
      "-AlwaysShared",
    ],
  }),
};

/** @param {string} name */
export function vnc(name) {
  /** @param {import('./index.mjs').StackOptions} options @returns {Promise<import('./index.mjs').Stack>} */
  return async ({ desktop, folder, cleanup }) => {
    const port = await freePort(18_400);
    const { command, args } = servers[name](desktop.display, port);
    const agent = cleanup.stopping(
      new Program({ command, args, env: desktop.env, log: `${folder}/${name}.log` }),
    );
    await until(name, () => portAnswers(port));

    return watched(port, [agent.pid], { folder, cleanup });
  };
}

/**
 * TigerVNC's own X server: what is drawn is known without looking. Its desktop is another one
 * than everybody else's, so it only plays where that is said.
 */
export const xvnc = {
  /** @type {typeof startDesktop} */
  async desktop({ width = 1280, height = 800, ...options }) {
    const port = await freePort(24_600);
    const args = [
      ...["-geometry", `${width}x${height}`, "-depth", "24", "-rfbport", String(port)],
      ...["-localhost", "-SecurityTypes", "None", "-AlwaysShared"],
    ];
    const xServer = { command: "Xtigervnc", args };
    const desktop = await startDesktop({ width, height, ...options, xServer });
    ports.set(desktop, port);
    return desktop;
  },

  /** @param {import('./index.mjs').StackOptions} options @returns {Promise<import('./index.mjs').Stack>} */
  async stack({ desktop, folder, cleanup }) {
    const port = ports.get(desktop);
    if (port === undefined) throw new Error("xvnc plays on a desktop of its own");
    await until("Xtigervnc", () => portAnswers(port));
    return watched(port, [], { folder, cleanup });
  },
};

/** Where the desktops of `xvnc` listen. @type {WeakMap<object, number>} */
const ports = new WeakMap();

/**
 * websockify in front of a VNC server, and noVNC in the browser.
 *
 * @param {number} port
 * @param {number[]} agent
 * @param {Pick<import('./index.mjs').StackOptions, 'folder' | 'cleanup'>} options
 * @returns {Promise<import('./index.mjs').Stack>}
 */
async function watched(port, agent, { folder, cleanup }) {
  const relayPort = await freePort(port + 1);
  const relay = cleanup.stopping(
    new Program({
      command: "/usr/bin/websockify",
      args: ["--web", NOVNC, `127.0.0.1:${relayPort}`, `127.0.0.1:${port}`],
      log: `${folder}/websockify.log`,
    }),
  );
  await until("websockify", () => portAnswers(relayPort));

  return {
    agent,
    relay: [relay.pid],
    port: relayPort,
    async open(page, from = relayPort) {
      const address = `http://127.0.0.1:${from}/vnc_lite.html`;
      await page.goto(`${address}?host=127.0.0.1&port=${from}&path=websockify`);
      await page.waitForFunction(() => (document.querySelector("canvas")?.width ?? 0) >= 1920);
      await page.locator("canvas").focus();
    },
  };
}
