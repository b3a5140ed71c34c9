// A Windows desktop in Wine, through scripts/wine-desktop, with the agent's exe on it.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root, windowsBinary } from "../../../scripts/lib/guruconnect.mjs";
import { Cleanup, Program, until } from "../../../scripts/lib/processes.mjs";

const SCRIPT = path.join(root, "scripts/wine-desktop");

export class WindowsDesktop {
  static readonly size = { width: 1280, height: 900 };
  readonly #cleanup = new Cleanup();
  readonly #state: string;

  constructor(readonly folder: string) {
    this.#state = path.join(folder, "wine");
  }

  /**
   * The first time on a machine, Wine sets up a Windows; later ones are copies of that.
   * With `plain`, windows stand on the screen itself and not in a window of Wine's: that is
   * where a service finds them. `monitors` are sizes of monitors side by side, like
   * `800x600,640x480`.
   */
  async start({ plain = false, monitors = "" } = {}): Promise<void> {
    const { width, height } = WindowsDesktop.size;
    const size = `${width}x${height}`;
    const screen = monitors || plain ? ["--monitors", monitors || size] : ["--size", size];
    const log = path.join(this.folder, "wine-desktop.log");
    const desktop = this.#cleanup.stopping(
      new Program({
        command: SCRIPT,
        args: ["up", this.#state, ...screen],
        log,
        input: true,
      }),
    );
    const isReady = () => {
      desktop.assertRunning();
      return existsSync(log) && /^ready display=/m.test(readFileSync(log, "utf8"));
    };
    await until("the Windows desktop", isReady, {
      withinMs: 120_000,
      everyMs: 200,
    });
  }

  /** Gives the machine another keyboard, as X11 names it. */
  keyboard(layout: string): void {
    execFileSync("setxkbmap", ["-layout", layout], { env: this.#screen(), timeout: 10_000 });
  }

  /** Does something with the machine's own mouse and keyboard. */
  byHand(...args: string[]): void {
    execFileSync("xdotool", args, { env: this.#screen(), timeout: 10_000 });
  }

  /** Starts one of our programs, or one of Windows' own, and leaves it running. */
  run(program: string, ...args: string[]): Program {
    return this.#cleanup.stopping(
      new Program({
        command: SCRIPT,
        args: ["run", this.#state, ours(program), ...args],
        name: program,
        log: path.join(this.folder, `${path.parse(program).name}.log`),
      }),
    );
  }

  /** Runs the test helper to its end and returns what it printed. */
  ask(...args: string[]): string {
    return this.finish("windows-helper.exe", ...args);
  }

  /** Runs one of our programs to its end and returns what it printed. */
  finish(program: string, ...args: string[]): string {
    return execFileSync(SCRIPT, ["run", this.#state, ours(program), ...args], {
      encoding: "utf8",
      timeout: 60_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** A person's hands: moves the mouse, clicks, types, on the screen that Windows is shown on. */
  hand(...args: string[]): string {
    return execFileSync("xdotool", args, {
      env: this.#screen(),
      encoding: "utf8",
      timeout: 20_000,
    });
  }

  /** A PNG of the screen that Windows is shown on. */
  picture(): Buffer {
    const args = ["-window", "root", "png:-"];
    return execFileSync("import", args, {
      env: this.#screen(),
      timeout: 20_000,
    });
  }

  #screen(): Record<string, string | undefined> {
    const display = readFileSync(path.join(this.#state, "display"), "utf8").trim();
    return { ...process.env, DISPLAY: `:${display}` };
  }

  /** A file of drive C. */
  read(file: string): Buffer {
    return readFileSync(path.join(this.#state, "prefix/drive_c", file));
  }

  /** The process ids, outside of Wine, of the service's workers on this desktop. */
  workers(): number[] {
    return this.processes(
      (words) =>
        words.includes("worker") && words.some((word) => word.endsWith("guruconnect-agent.exe")),
    );
  }

  /** The process ids, outside of Wine, of the programs on this desktop with such a command line. */
  processes(wanted: (words: string[]) => boolean): number[] {
    const isWanted = (id: string) => {
      const of = (file: string) => readFileSync(`/proc/${id}/${file}`, "utf8").split("\0");
      try {
        return (
          wanted(of("cmdline")) &&
          of("environ").includes(`WINEPREFIX=${path.join(this.#state, "prefix")}`)
        );
      } catch {
        return false; // it has just ended
      }
    };
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && isWanted(name))
      .map(Number);
  }

  /** The registry's lines about us. */
  settings(): string[] {
    return ["HKLM", "HKCU"].flatMap((hive) => {
      const file = `C:\\${hive}.reg`;
      this.finish("reg", "export", hive, file, "/y");
      const text = readFileSync(path.join(this.#driveC, `${hive}.reg`), "utf16le");
      return text.split("\r\n").filter((line) => /guruconnect/i.test(line));
    });
  }

  /** Every file and folder on drive C. */
  files(): string[] {
    return readdirSync(this.#driveC, { recursive: true }).map(String);
  }

  get #driveC(): string {
    return path.join(this.#state, "prefix/drive_c");
  }

  async stop(): Promise<void> {
    await this.#cleanup.run();
  }
}

function ours(program: string): string {
  const built = windowsBinary(program);
  return existsSync(built) ? built : program;
}
