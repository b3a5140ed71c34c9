// A Windows desktop in Wine, through scripts/wine-desktop, with the agent's exe on it.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../../scripts/lib/guruconnect.mjs";
import { Cleanup, Program, until } from "../../../scripts/lib/processes.mjs";

const SCRIPT = path.join(root, "scripts/wine-desktop");
const PROGRAMS = path.join(root, "target-windows/dist/x86_64");

export class WindowsDesktop {
  static readonly size = { width: 1280, height: 900 };
  readonly #cleanup = new Cleanup();
  readonly #state: string;

  constructor(readonly folder: string) {
    this.#state = path.join(folder, "wine");
  }

  /** The first time on a machine, Wine sets up a Windows; later ones are copies of that. */
  async start(): Promise<void> {
    const log = path.join(this.folder, "wine-desktop.log");
    const desktop = this.#cleanup.stopping(
      new Program({ command: SCRIPT, args: ["up", this.#state], log, input: true }),
    );
    const isReady = () => {
      desktop.assertRunning();
      return existsSync(log) && /^ready display=/m.test(readFileSync(log, "utf8"));
    };
    await until("the Windows desktop", isReady, { withinMs: 120_000, everyMs: 200 });
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
    return execFileSync(SCRIPT, ["run", this.#state, ours("windows-helper.exe"), ...args], {
      encoding: "utf8",
      timeout: 60_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async stop(): Promise<void> {
    await this.#cleanup.run();
  }
}

function ours(program: string): string {
  const built = path.join(PROGRAMS, program);
  return existsSync(built) ? built : program;
}
