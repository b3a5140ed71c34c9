// @ts-check
// Starting programs, waiting for what they promise, and ending them and everything
// they started. Every program gets its own process group, so that Ctrl+C reaches only
// us and we decide the order; and the kernel ends it should we die without a word.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";

/** How long a program has to end after SIGTERM before it is killed. */
const STOP_WITHIN_MS = 8_000;

const SETPRIV = "/usr/bin/setpriv";

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks `condition` again and again until it answers something true, and returns that.
 * Errors that it throws count as "not yet"; the last one is named when time is up.
 *
 * @template T
 * @param {string} what for the message: "waited 5 s for " + what
 * @param {() => T | Promise<T>} condition
 * @param {{ withinMs?: number, everyMs?: number }} [limits] default 20 s, asked every 50 ms
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, condition, { withinMs = 20_000, everyMs = 50 } = {}) {
  const deadline = performance.now() + withinMs;
  let last = "";
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return /** @type {NonNullable<T>} */ (answer);
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : error}`;
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${withinMs / 1000} s for ${what}${last}`);
    await sleep(everyMs);
  }
}

/**
 * A program that we started.
 *
 * @typedef {{ command: string, args?: string[], name?: string, env?: Record<string, string | undefined>,
 *   cwd?: string, log?: string, input?: boolean, output?: boolean, extraPipe?: boolean }} ProgramOptions
 */
export class Program {
  /** @type {import('node:child_process').ChildProcess} */
  child;
  /** Settles with the exit code or the signal's name. @type {Promise<number | string>} */
  ended;
  #running = true;

  /**
   * `log` is the file that takes what the program says; without it, it is dropped.
   * `output` keeps standard output as a pipe for the caller, `input` likewise, and
   * `extraPipe` opens descriptor 3.
   *
   * @param {ProgramOptions} options
   */
  constructor({
    command,
    args = [],
    name,
    env = {},
    cwd,
    log,
    input = false,
    output = false,
    extraPipe = false,
  }) {
    this.name = name ?? path.basename(command);
    this.log = log;
    if (log) mkdirSync(path.dirname(log), { recursive: true });
    const sink = log ? openSync(log, "a") : "ignore";
    // The program's own name stays the process name: setpriv replaces itself.
    const [file, rest] = existsSync(SETPRIV)
      ? [SETPRIV, ["--pdeathsig", "KILL", "--", command, ...args]]
      : [command, args];
    this.child = spawn(file, rest, {
      cwd,
      env: /** @type {NodeJS.ProcessEnv} */ ({ ...process.env, ...env }),
      detached: true,
      stdio: [
        input ? "pipe" : "ignore",
        output ? "pipe" : sink,
        sink,
        ...(extraPipe ? [/** @type {const} */ ("pipe")] : []),
      ],
    });
    if (typeof sink === "number") closeSync(sink);
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.#running = false;
        resolve(error.message);
      });
      this.child.once("exit", (code, signal) => {
        this.#running = false;
        resolve(signal ?? code ?? 0);
      });
    });
  }

  get pid() {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be started`);
    return this.child.pid;
  }

  get running() {
    return this.#running;
  }

  /** Throws in words when the program is gone: for conditions that wait on it. */
  assertRunning() {
    if (this.#running) return;
    throw new Error(`${this.name} has ended${this.log ? `; it said:\n${tail(this.log, 20)}` : ""}`);
  }

  /** At once, without a chance to say goodbye; and its group. */
  async kill() {
    this.#signalGroup("SIGKILL");
    await this.ended;
  }

  /** Asks politely, then does not ask; what it started goes with it. */
  async stop() {
    if (this.#running) {
      this.#signalGroup("SIGTERM");
      const stopped = await Promise.race([
        this.ended.then(() => true),
        sleep(STOP_WITHIN_MS).then(() => false),
      ]);
      if (!stopped) await this.kill();
    }
    this.#signalGroup("SIGKILL");
  }

  /** @param {NodeJS.Signals} signal */
  #signalGroup(signal) {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  }
}

/** Things to undo, newest first. One that fails does not keep the others from running. */
export class Cleanup {
  /** @type {(() => unknown)[]} */
  #steps = [];

  /** @param {() => unknown} step */
  add(step) {
    this.#steps.push(step);
  }

  /** @template {{ stop(): unknown }} T @param {T} thing @returns {T} */
  stopping(thing) {
    this.add(() => thing.stop());
    return thing;
  }

  async run() {
    /** @type {unknown[]} */
    const errors = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * The first TCP port of the loopback interface that nobody listens on, from `first` on.
 *
 * @param {number} [first] 0 lets the system choose
 */
export async function freePort(first = 0) {
  for (let port = first; port < first + 100; port++) {
    const found = await new Promise((resolve) => {
      const server = net.createServer();
      server.once("error", () => resolve(0));
      server.listen(port, "127.0.0.1", () => {
        const address = /** @type {net.AddressInfo} */ (server.address());
        server.close(() => resolve(address.port));
      });
    });
    if (found) return /** @type {number} */ (found);
  }
  throw new Error(`no free port between ${first} and ${first + 99}`);
}

/** @param {number} port */
export function portAnswers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/**
 * The last lines of a log.
 *
 * @param {string} file
 * @param {number} lines
 */
export function tail(file, lines) {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no log)";
  }
}
