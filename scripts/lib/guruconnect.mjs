// @ts-check
// A GuruConnect of one's own: the real server and the real agent, on the loopback
// interface, with the few API calls that setting one up needs.

import { chmodSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Program, until } from "./processes.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Which build runs: `target/<profile>`; the tests use the one that they compiled. */
export const profile = process.env.GC_PROFILE ?? "debug";

/** @param {string} name */
export function binary(name) {
  return path.join(root, "target", profile, name);
}

/** What scripts/build-windows made. @param {string} name */
export function windowsBinary(name) {
  return path.join(root, "target-windows/dist/x86_64", name);
}

/** An answer that is not 2xx, with the sentence that the server wrote for a person. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(`${message} (${status} ${code})`);
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {{ id: string, name: string, online: boolean, agent_public_key: string, sessions: unknown[] }} Machine
 * @typedef {{ username: string, display_name: string, password: string }} NewUser
 */

/** The calls of the HTTP API that a set-up needs. */
export class Api {
  /** @param {string} url @param {string} [token] */
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  /**
   * @param {string} method
   * @param {string} resource
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async call(method, resource, body) {
    const response = await fetch(this.url + resource, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    const json = text ? JSON.parse(text) : undefined;
    if (!response.ok)
      throw new ApiError(
        response.status,
        json?.error?.code ?? "unknown",
        json?.error?.message ?? text,
      );
    return json;
  }

  /** @returns {Promise<boolean>} */
  async isClaimed() {
    return (await this.call("GET", "/api/setup")).claimed;
  }

  /** @param {string} secret @param {NewUser} user */
  async claim(secret, user) {
    this.token = (await this.call("POST", "/api/setup/claim", { secret, ...user })).access_token;
  }

  /** @param {string} username @param {string} password */
  async signIn(username, password) {
    this.token = (await this.call("POST", "/api/auth/login", { username, password })).access_token;
  }

  /** @returns {Promise<string>} */
  async enrolmentToken(name = "scripted set-up") {
    return (
      await this.call("POST", "/api/enrolment-tokens", {
        name,
        max_uses: 1,
        expires_in_seconds: 600,
      })
    ).token;
  }

  /** @returns {Promise<Machine[]>} */
  async machines() {
    return (await this.call("GET", "/api/machines")).items;
  }
}

/** The server program, which can be killed and started again on the same data. */
export class Server {
  /** @type {Program | undefined} */
  #program;

  /**
   * @param {{ folder: string, port: number, env?: Record<string, string>, executable?: string }} options
   */
  constructor({ folder, port, env = {}, executable = binary("guruconnect-server") }) {
    this.folder = folder;
    this.port = port;
    this.env = env;
    this.executable = executable;
    this.url = `http://127.0.0.1:${port}`;
    this.log = path.join(folder, "server.log");
    this.api = new Api(this.url);
  }

  get program() {
    if (!this.#program) throw new Error("the server has not been started");
    return this.#program;
  }

  async start() {
    const data = path.join(this.folder, "data");
    mkdirSync(data, { recursive: true, mode: 0o700 });
    chmodSync(data, 0o700);
    const program = new Program({
      command: this.executable,
      name: "guruconnect-server",
      env: { DATA_DIR: data, BIND_ADDRESS: `127.0.0.1:${this.port}`, ...this.env },
      cwd: this.folder,
      log: this.log,
    });
    this.#program = program;
    await until("the server", async () => {
      if (!program.running) return "ended";
      return (await fetch(`${this.url}/ready`)).ok;
    });
    program.assertRunning();
  }

  /** Gives customers the agents that were built, to download on the support page. */
  offerAgent() {
    const agents = path.join(this.folder, "data", "agents");
    mkdirSync(agents, { recursive: true });
    const built = [binary("guruconnect-agent"), windowsBinary("guruconnect-agent.exe")];
    for (const file of built.filter((file) => existsSync(file)))
      copyFileSync(file, path.join(agents, path.basename(file)));
  }

  async kill() {
    await this.program.kill();
  }

  async stop() {
    await this.#program?.stop();
  }
}

/** The agent program on a desktop. */
export class Agent {
  /** @type {Program | undefined} */
  #program;

  /**
   * @param {{ folder: string, server: string, env: Record<string, string>, args?: string[], executable?: string }} options
   *   `env` names the desktop
   */
  constructor({ folder, server, env, args = [], executable = binary("guruconnect-agent") }) {
    this.folder = folder;
    this.server = server;
    this.env = env;
    this.args = args;
    this.executable = executable;
    this.log = path.join(folder, "agent.log");
  }

  get program() {
    if (!this.#program) throw new Error("the agent has not been started");
    return this.#program;
  }

  /** Where it keeps its key. */
  get dataFolder() {
    return path.join(this.folder, "agent");
  }

  /** @param {string} [enrolmentToken] needed the first time */
  start(enrolmentToken) {
    mkdirSync(this.folder, { recursive: true });
    this.#program = new Program({
      command: this.executable,
      name: "guruconnect-agent",
      args: [...["--server", this.server, "--data-dir", this.dataFolder], ...this.args],
      // Not on the command line, where every user of the machine could read it.
      env: { ...this.env, GURUCONNECT_TOKEN: enrolmentToken },
      log: this.log,
    });
  }

  async kill() {
    await this.program.kill();
  }

  async stop() {
    await this.#program?.stop();
  }
}

/**
 * Waits until a machine is online and returns it.
 *
 * @param {Api} api
 * @param {{ withinMs?: number, agent?: Agent, id?: string }} [options]
 */
export async function machineOnline(api, { withinMs = 20_000, agent, id } = {}) {
  const found = await until(
    "the machine to be online",
    async () => {
      if (agent && !agent.program.running) return "agent ended";
      return (await api.machines()).find((machine) => machine.online && (!id || machine.id === id));
    },
    { withinMs },
  );
  if (found === "agent ended") agent?.program.assertRunning();
  return /** @type {Machine} */ (found);
}
