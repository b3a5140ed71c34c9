// The fixture of every story: a GuruConnect of its own (server, X11 desktop, agent), taken
// down again whatever happens. Its logs are attached to a test that failed.

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test as base } from "@playwright/test";
import { type Desktop, startDesktop } from "../../../scripts/lib/desktop.mjs";
import { Agent, type Machine, machineOnline, Server } from "../../../scripts/lib/guruconnect.mjs";
import { SlowLink } from "../../../scripts/lib/link.mjs";
import { Cleanup, freePort } from "../../../scripts/lib/processes.mjs";
import { Workload } from "../../../scripts/lib/workload.mjs";
import { Dashboard } from "./dashboard";

export { expect } from "@playwright/test";

export const TECHNICIAN = {
  username: "tina",
  display_name: "Tina Technician",
  password: "correct horse battery 42",
};
export const CLAIM_SECRET = "the one-time secret of this test";

const FIRST_PORT = 18_500;
const DESKTOP = { width: 1280, height: 800 };

/** A server, and as much around it as the story asks for. */
export class Stack {
  readonly #cleanup = new Cleanup();
  readonly server: Server;
  #desktop: Desktop | undefined;
  #agent: Agent | undefined;
  #machine: Machine | undefined;

  private constructor(
    readonly folder: string,
    port: number,
    env: Record<string, string>,
  ) {
    this.server = this.#cleanup.stopping(
      new Server({ folder, port, env: { CLAIM_SECRET, LOG_LEVEL: "debug", ...env } }),
    );
  }

  /** A server that nobody has claimed yet. */
  static async unclaimed(env: Record<string, string> = {}): Promise<Stack> {
    const folder = mkdtempSync(path.join(os.tmpdir(), "gc-e2e-"));
    const stack = new Stack(folder, await freePort(FIRST_PORT), env);
    await stack.server.start();
    return stack;
  }

  /** A claimed server with one X11 machine online. */
  static async withMachine(env: Record<string, string> = {}): Promise<Stack> {
    const stack = await Stack.unclaimed(env);
    try {
      await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
      await stack.addMachine();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  async addMachine(args: string[] = []): Promise<void> {
    const { server } = this;
    this.#desktop = this.#cleanup.stopping(
      await startDesktop({ folder: path.join(this.folder, "desktop"), ...DESKTOP }),
    );
    this.#desktop.ask("xsetroot", ["-solid", "#2b4c6f"]);
    this.#agent = this.#cleanup.stopping(
      new Agent({
        folder: this.folder,
        server: server.url,
        env: this.#desktop.env,
        args: ["--log-level", "debug", ...args],
      }),
    );
    this.#agent.start(await server.api.enrolmentToken());
    this.#machine = await machineOnline(server.api, { agent: this.#agent });
  }

  get desktop(): Desktop {
    return there(this.#desktop, "desktop");
  }

  get agent(): Agent {
    return there(this.#agent, "agent");
  }

  get machine(): Machine {
    return there(this.#machine, "machine");
  }

  /** Starts the workload program on the desktop and waits until it has painted. */
  async workload(...args: string[]): Promise<Workload> {
    const workload = this.#cleanup.stopping(new Workload(this.desktop, args));
    await workload.ready();
    return workload;
  }

  /** A second way to the server, over a line that can be made slow. */
  async slowLink(): Promise<SlowLink> {
    const link = this.#cleanup.stopping(new SlowLink(this.server.port));
    await link.listen();
    return link;
  }

  stopAtTheEnd(thing: { stop(): unknown }): void {
    this.#cleanup.stopping(thing);
  }

  logs(): string[] {
    const folders = [this.folder, path.join(this.folder, "desktop")].filter((folder) =>
      existsSync(folder),
    );
    return folders
      .flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)))
      .filter((file) => file.endsWith(".log") && statSync(file).size > 0);
  }

  async stop(): Promise<void> {
    await this.#cleanup.run();
  }

  forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function there<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new Error(`this story has no ${what}`);
  return thing;
}

type Fixtures = {
  /** More settings of the server, by `test.use`. */
  serverEnv: Record<string, string>;
  /** A server that nobody has claimed. */
  unclaimed: Stack;
  /** A claimed server with an X11 machine online. */
  stack: Stack;
  /** The dashboard in the test's page, not signed in. */
  dashboard: Dashboard;
};

export const test = base.extend<Fixtures>({
  serverEnv: [{}, { option: true }],
  unclaimed: async ({ serverEnv }, use, testInfo) =>
    use_(await Stack.unclaimed(serverEnv), use, testInfo),
  stack: async ({ serverEnv }, use, testInfo) =>
    use_(await Stack.withMachine(serverEnv), use, testInfo),
  dashboard: async ({ page, stack }, use) => use(new Dashboard(page, stack.server.url)),
});

async function use_(
  stack: Stack,
  use: (stack: Stack) => Promise<void>,
  testInfo: import("@playwright/test").TestInfo,
) {
  try {
    await use(stack);
  } finally {
    await stack.stop();
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const file of stack.logs()) await testInfo.attach(path.basename(file), { path: file });
    }
    stack.forget();
  }
}
