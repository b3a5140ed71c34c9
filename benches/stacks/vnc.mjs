// @ts-check
// The peers: a VNC server on the display, websockify as its relay, noVNC in the browser.

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
      agent: [agent.pid],
      relay: [relay.pid],
      port: relayPort,
      async open(page) {
        await page.goto(
          `http://127.0.0.1:${relayPort}/vnc_lite.html?host=127.0.0.1&port=${relayPort}&path=websockify`,
        );
        await page.waitForFunction(() => (document.querySelector("canvas")?.width ?? 0) >= 1920);
        await page.locator("canvas").focus();
      },
    };
  };
}
