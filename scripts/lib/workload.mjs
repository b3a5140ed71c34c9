// @ts-check
// The workload program on a desktop: its scenes, its picture, its recorder.

import { createInterface } from "node:readline";
import { binary } from "./guruconnect.mjs";
import { until } from "./processes.mjs";

/**
 * Left, top, width, height. @typedef {[number, number, number, number]} Rectangle
 * @typedef {{ drawn: number, scheduled: number, late: number, seconds: number }} SceneEnd
 * @typedef {{ key: number, symbol: number, is: 'down' | 'up', modifiers: number }
 *   | { button: number, is: 'down' | 'up', x: number, y: number }
 *   | { focus: boolean }} Recorded
 */

export class Workload {
  /** Milliseconds of the monotonic clock at which each frame was in the X server. @type {Map<number, number>} */
  frames = new Map();
  /** The same of each flip of the patch. @type {number[]} */
  patches = [];
  /** What the recorder wrote down. @type {Recorded[]} */
  recorded = [];
  /** @type {SceneEnd | undefined} */
  end;
  /** What the program said about itself. @type {{ text?: Rectangle | null } | undefined} */
  #ready;

  /**
   * @param {import('./desktop.mjs').Desktop} desktop
   * @param {string[]} args of the program
   */
  constructor(desktop, args) {
    this.program = desktop.run(binary("gc-workload"), args, { input: true, output: true });
    const lines = createInterface({
      input: /** @type {import('node:stream').Readable} */ (this.program.child.stdout),
    });
    lines.on("line", (line) => this.#hear(JSON.parse(line)));
    // A program that ended says so where it is waited for.
    this.program.child.stdin?.on("error", () => {});
  }

  /** Waits until everything is painted; answers what the program said about itself. */
  async ready() {
    return until(
      "the workload to be painted",
      () => {
        this.program.assertRunning();
        return this.#ready;
      },
      { withinMs: 60_000 },
    );
  }

  /** Where there is nothing but text on the screen, in scenes that have such a place. */
  get text() {
    return this.#ready?.text ?? null;
  }

  /** Plays the scene that waits with `--hold`. */
  go() {
    this.program.child.stdin?.write("go\n");
  }

  /**
   * Draws on to a frame, in a scene with `--still`.
   *
   * @param {number} frame
   */
  async show(frame) {
    this.program.child.stdin?.write(`${frame}\n`);
    await until(`frame ${frame}`, () => {
      this.program.assertRunning();
      return this.frames.has(frame);
    });
  }

  /** @returns {Promise<SceneEnd>} */
  async ended(withinMs = 60_000) {
    return until(
      "the scene to end",
      () => {
        if (!this.end) this.program.assertRunning();
        return this.end;
      },
      { withinMs },
    );
  }

  async stop() {
    await this.program.stop();
  }

  /** @param {any} line */
  #hear(line) {
    if ("ready" in line) this.#ready = line;
    else if ("frame" in line) this.frames.set(line.frame, line.us / 1_000);
    else if ("patch" in line) this.patches.push(line.us / 1_000);
    else if ("end" in line) this.end = line;
    else this.recorded.push(line);
  }
}

/** The same clock in this process, in milliseconds. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;
