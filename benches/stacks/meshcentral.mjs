// @ts-check
// MeshCentral: its agent on the display, its server as the relay, its own page in the browser;
// TLS on both legs, as it always is. Its version is the lock file's of benches/peers. Pictures
// are as its defaults have them; its settings only keep it in the run's folder, on the loopback
// interface and away from updates.

import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, Program, until } from "../../scripts/lib/processes.mjs";

/** Where `scripts/npm-ci benches/peers` puts it. */
const PACKAGE = fileURLToPath(new URL("../peers/node_modules/meshcentral", import.meta.url));
/** MeshCentral's number for its agent for Linux on x86-64. */
const LINUX_AGENT = 6;
/** Its number for the page with a machine's desktop. */
const DESKTOP_PAGE = 11;
const USER = { name: "bench", password: "a password of the benchmark 7" };
/** At its first start it makes certificates and signs its agents for Windows. */
const START_WITHIN_MS = 180_000;
const COMMAND_WITHIN_MS = 60_000;

/** Its version and the day of its agent's sources: the agent has no version of its own. */
export function meshcentralVersion() {
  if (!existsSync(PACKAGE)) return "not there";
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
  const agent = readFileSync(path.join(PACKAGE, "agents/meshagent_x86-64"), "latin1");
  const [, day = "of an unknown day"] =
    /(\d{4}-[A-Z][a-z]{2}-\d{1,2}) [\d:]{8}[+-]\d{4}/.exec(agent) ?? [];
  return `${version} (agent ${day})`;
}

/** @param {import('./index.mjs').StackOptions} options @returns {Promise<import('./index.mjs').Stack>} */
export async function meshcentral({ desktop, folder, cleanup }) {
  if (!existsSync(PACKAGE))
    throw new Error("MeshCentral is not installed: scripts/npm-ci benches/peers does that");
  const site = new Site({ folder, port: await freePort(18_400), home: desktop.env.HOME });
  await site.createAccount();
  const relay = cleanup.stopping(site.start());
  const answers = () => {
    relay.assertRunning();
    return site.fetch("/");
  };
  await until("MeshCentral", answers, { withinMs: START_WITHIN_MS, everyMs: 200 });

  const agent = cleanup.stopping(
    new Program({
      command: await site.enrolledAgent(path.join(folder, "meshagent")),
      args: ["connect"],
      cwd: path.join(folder, "meshagent"),
      env: desktop.env,
      log: path.join(folder, "meshagent.log"),
    }),
  );
  const online = async () => {
    agent.assertRunning();
    return /"conn": 1\b/.test(await site.control("listdevices", "--json"));
  };
  await until("MeshCentral's agent", online, { withinMs: COMMAND_WITHIN_MS, everyMs: 500 });

  return {
    agent: [agent.pid],
    relay: [relay.pid],
    port: site.port,
    selfSigned: true,
    open: (page, port = site.port) => openDesktop(page, port),
  };
}

/** A server for one run; everything that it keeps is in `folder`. */
class Site {
  /** @param {{ folder: string, port: number, home: string }} options */
  constructor({ folder, port, home }) {
    this.folder = folder;
    this.port = port;
    this.data = path.join(folder, "meshcentral");
    mkdirSync(this.data);
    writeFileSync(path.join(this.data, "config.json"), JSON.stringify(this.#settings()));
    this.env = {
      ...process.env,
      HOME: home,
      // As in the service file that it writes.
      NODE_ENV: "production",
      // With a proxy it would install one more package.
      ...{ http_proxy: "", https_proxy: "", HTTP_PROXY: "", HTTPS_PROXY: "" },
    };
  }

  #settings() {
    const settings = {
      ...{ cert: "127.0.0.1", port: this.port, portBind: "127.0.0.1", exactPorts: true },
      ...{ redirPort: 0, mpsPort: 0, wanOnly: true },
      ...{ selfUpdate: false, agentTimeStampServer: false, autoBackup: false },
      filesPath: path.join(this.folder, "meshcentral-files"),
    };
    return { settings, domains: { "": { title: "bench" } } };
  }

  /** It installs by itself what it misses; a command that fails keeps it from that. */
  get #server() {
    const program = path.join(PACKAGE, "meshcentral.js");
    return [program, "--datapath", this.data, "--npmpath", "/bin/false"];
  }

  start() {
    return new Program({
      name: "MeshCentral",
      command: process.execPath,
      args: this.#server,
      env: this.env,
      log: path.join(this.folder, "meshcentral.log"),
    });
  }

  /** Before the server runs. */
  async createAccount() {
    const account = ["--createaccount", USER.name, "--pass", USER.password];
    const said = await this.#run([...this.#server, ...account]);
    if (!said.includes("Done.")) throw new Error(`MeshCentral made no account: ${said}`);
  }

  /** Its own command line; answers what that printed. @param {string[]} command */
  async control(...command) {
    const login = ["--loginuser", USER.name, "--loginpass", USER.password];
    const url = ["--url", `wss://127.0.0.1:${this.port}`];
    return this.#run([path.join(PACKAGE, "meshctrl.js"), ...url, ...login, ...command]);
  }

  /** Fetches the agent as a customer does, into `folder`; answers its program. @param {string} folder */
  async enrolledAgent(folder) {
    const said = await this.control("adddevicegroup", "--name", "bench");
    const group = /^ok mesh\/\/(\S+)$/m.exec(said)?.[1];
    if (!group) throw new Error(`MeshCentral made no device group: ${said}`);
    const program = path.join(folder, "meshagent");
    mkdirSync(folder);
    writeFileSync(program, await this.fetch(`/meshagents?id=${LINUX_AGENT}`));
    chmodSync(program, 0o700);
    const settings = await this.fetch(`/meshsettings?id=${encodeURIComponent(group)}`);
    writeFileSync(`${program}.msh`, settings);
    return program;
  }

  /** @param {string} address @returns {Promise<Buffer>} */
  async fetch(address) {
    return new Promise((resolve, reject) => {
      const options = { rejectUnauthorized: false, timeout: COMMAND_WITHIN_MS };
      const request = https.get(`https://127.0.0.1:${this.port}${address}`, options, (answer) => {
        /** @type {Buffer[]} */
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.once("error", reject);
        answer.once("end", () => {
          if (answer.statusCode === 200) resolve(Buffer.concat(parts));
          else reject(new Error(`MeshCentral answered ${answer.statusCode} for ${address}`));
        });
      });
      request.once("timeout", () => request.destroy(new Error(`no answer for ${address}`)));
      request.once("error", reject);
    });
  }

  /** @param {string[]} args */
  async #run(args) {
    const options = { env: this.env, timeout: COMMAND_WITHIN_MS };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    return stdout;
  }
}

/** @param {import('playwright-core').Page} page @param {number} port */
async function openDesktop(page, port) {
  await page.goto(`https://127.0.0.1:${port}/`, { waitUntil: "domcontentloaded" });
  await page.locator("#username").fill(USER.name);
  await page.locator("#password").fill(USER.password);
  await page.keyboard.press("Enter");
  const machineThere = () =>
    /** @type {any} */ (window).nodes?.some((/** @type {any} */ node) => node.conn & 1);
  await page.waitForFunction(machineThere);
  await page.evaluate((desktopPage) => {
    const site = /** @type {any} */ (window);
    site.gotoDevice(site.nodes[0]._id, desktopPage);
  }, DESKTOP_PAGE);
  await page.locator("#connectbutton1").click();
  await page.waitForFunction(() => {
    const canvas = /** @type {HTMLCanvasElement | null} */ (document.querySelector("#Desk"));
    return canvas?.width === 1920 && /** @type {any} */ (window).desktop?.State === 3;
  });
}
