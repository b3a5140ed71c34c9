// @ts-check
// A desktop that nobody sees: Xvfb with a window manager, guarded by its own cookie.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Cleanup, Program, until } from "./processes.mjs";

export class Desktop {
  #cleanup = new Cleanup();

  /**
   * @param {{ display: number, folder: string, width: number, height: number, env: Record<string, string> }} parts
   */
  constructor({ display, folder, width, height, env }) {
    this.display = display;
    this.folder = folder;
    this.width = width;
    this.height = height;
    /** What a program needs to draw here. */
    this.env = env;
  }

  /** The X server's process id, for measuring. */
  serverPid = 0;

  /**
   * Starts a program on this desktop; it ends with the desktop.
   *
   * @param {string} command
   * @param {string[]} [args]
   * @param {Partial<import('./processes.mjs').ProgramOptions>} [options]
   */
  run(command, args = [], options = {}) {
    const name = options.name ?? path.basename(command);
    return this.#cleanup.stopping(
      new Program({
        log: path.join(this.folder, `${name}.log`),
        ...options,
        command,
        args,
        name,
        env: { ...this.env, ...options.env },
      }),
    );
  }

  /**
   * Runs an X tool to its end and returns what it printed.
   *
   * @param {string} command
   * @param {string[]} args
   */
  ask(command, args) {
    return execFileSync(command, args, {
      env: { ...process.env, ...this.env },
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** @param {{ stop(): unknown }} thing */
  stopWithDesktop(thing) {
    this.#cleanup.stopping(thing);
  }

  async stop() {
    await this.#cleanup.run();
  }
}

/**
 * Starts one. The X server chooses a free display number unless one is given; `folder`
 * takes its cookie, its logs and the home folder of its programs. `xServer` is another program
 * in place of Xvfb, one that takes the usual arguments of an X server.
 *
 * @param {{ folder: string, width?: number, height?: number, windowManager?: boolean, display?: number,
 *   xServer?: { command: string, args: string[] } }} options
 */
export async function startDesktop({
  folder,
  width = 1280,
  height = 800,
  windowManager = true,
  display,
  xServer = {
    command: "Xvfb",
    args: ["-screen", "0", `${width}x${height}x24`, "-noreset", "-nolisten", "tcp"],
  },
}) {
  const home = path.join(folder, "home");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const authority = path.join(folder, "xauthority");
  rmSync(authority, { force: true });
  writeFileSync(authority, "", { mode: 0o600 });
  const cookie = randomBytes(16).toString("hex");
  // The server takes every cookie of the file, whatever display it is filed under.
  addCookie(authority, 0, cookie);

  const server = new Program({
    command: xServer.command,
    args: [
      ...(display === undefined ? ["-displayfd", "3"] : [`:${display}`, "-displayfd", "3"]),
      ...xServer.args,
      ...["-dpi", "96", "-auth", authority],
    ],
    log: path.join(folder, `${path.basename(xServer.command)}.log`),
    extraPipe: true,
  });
  const number = await displayNumber(server);
  addCookie(authority, number, cookie);

  const desktop = new Desktop({
    display: number,
    folder,
    width,
    height,
    env: {
      DISPLAY: `:${number}`,
      XAUTHORITY: authority,
      HOME: home,
      // Programs of the desktop stay on it: no message bus of their own, no accessibility bridge, no saved settings.
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent",
      NO_AT_BRIDGE: "1",
      GSETTINGS_BACKEND: "memory",
      LIBGL_ALWAYS_SOFTWARE: "1",
      LC_ALL: "C.UTF-8",
    },
  });
  desktop.serverPid = server.pid;
  desktop.stopWithDesktop(server);
  if (windowManager) {
    desktop.run("openbox", ["--sm-disable"]);
    await until("the window manager", () =>
      /window id/.test(desktop.ask("xprop", ["-root", "_NET_SUPPORTING_WM_CHECK"])),
    );
  }
  return desktop;
}

/** @param {string} authority @param {number} display @param {string} cookie */
function addCookie(authority, display, cookie) {
  execFileSync("xauth", ["-q", "-f", authority, "add", `:${display}`, ".", cookie], {
    stdio: "ignore",
  });
}

/**
 * Xvfb writes its display number to descriptor 3 once it accepts connections.
 *
 * @param {Program} server
 * @returns {Promise<number>}
 */
async function displayNumber(server) {
  const pipe = /** @type {import('node:stream').Readable} */ (server.child.stdio[3]);
  let text = "";
  pipe.on("data", (chunk) => {
    text += chunk;
  });
  return until("the X server", () => {
    server.assertRunning();
    return text.endsWith("\n") ? { number: Number.parseInt(text, 10) } : undefined;
  }).then((answer) => answer.number);
}
