// @ts-check
// The demonstration: server, desktop, agent, and one box with the address and the login.
// Ends with everything it started when it is told to, or when the server or agent ends.

import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Desktop, startDesktop } from "./desktop.mjs";
import { Agent, ApiError, machineOnline, root, Server } from "./guruconnect.mjs";
import { Cleanup, freePort } from "./processes.mjs";

const folder = path.join(root, ".cache", "demo");
const loginFile = path.join(folder, "login.json");
const lockFile = path.join(folder, "running");
const FIRST_PORT = 8443;

const cleanup = new Cleanup();
let stopping = false;

/** @param {number} code @param {string} [why] */
async function stop(code, why) {
  if (stopping) return;
  stopping = true;
  console.log(why ? `\n${why}` : "");
  console.log("==> Stopping everything");
  await cleanup.run();
  process.exit(code);
}

async function main() {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  takeLock();
  const login = readLogin();
  const server = await startServer(login);
  const desktop = await openDesktop();
  const agent = await startAgent(server, desktop);
  const machine = await machineOnline(server.api, { agent });

  void server.program.ended.then((how) =>
    stop(1, `The server has ended (${how}); its log is ${server.log}`),
  );
  void agent.program.ended.then((how) =>
    stop(1, `The agent has ended (${how}); its log is ${agent.log}`),
  );
  announce([
    "GuruConnect is running.",
    "",
    `  Address    http://localhost:${server.port}`,
    `  User       ${login.username}`,
    `  Password   ${login.password}`,
    "",
    `The machine "${machine.name}" is online: sign in and open it.`,
    "Ctrl+C stops everything.",
  ]);
}

/** Two at once would share one database and one key. */
function takeLock() {
  const other = existsSync(lockFile) ? Number(readFileSync(lockFile, "utf8")) : 0;
  if (other && isDemo(other)) {
    throw new Error(`the demo is running already, as process ${other}; stop it there with Ctrl+C`);
  }
  writeFileSync(lockFile, String(process.pid));
  cleanup.add(() => rmSync(lockFile, { force: true }));
}

/** @param {number} pid */
function isDemo(pid) {
  const commandLine = `/proc/${pid}/cmdline`;
  return existsSync(commandLine) && readFileSync(commandLine, "utf8").includes("demo.mjs");
}

/** The same login in every run, kept where only this user can read it. */
function readLogin() {
  if (existsSync(loginFile)) return JSON.parse(readFileSync(loginFile, "utf8"));
  const login = {
    username: "demo",
    password: passphrase(),
    claimSecret: randomBytes(24).toString("base64url"),
  };
  writeFileSync(loginFile, JSON.stringify(login), { mode: 0o600 });
  return login;
}

/** Four easy groups that nobody guesses: 20 letters of 32 are 100 bits. */
function passphrase() {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}

/** @param {{ username: string, password: string, claimSecret: string }} login */
async function startServer(login) {
  const wanted = Number(process.env.DEMO_PORT ?? FIRST_PORT);
  const port = await freePort(wanted);
  if (port !== wanted)
    console.log(`==> Port ${wanted} is in use; taking ${port} (DEMO_PORT=… asks for another)`);
  const server = new Server({
    folder,
    port,
    env: { CLAIM_SECRET: login.claimSecret, PUBLIC_URL: `http://localhost:${port}` },
  });
  cleanup.stopping(server);
  server.offerAgent();
  await server.start();
  if (!(await server.api.isClaimed())) {
    await server.api.claim(login.claimSecret, {
      username: login.username,
      display_name: "Demo",
      password: login.password,
    });
    return server;
  }
  try {
    await server.api.signIn(login.username, login.password);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new Error(
      `the kept login does not work any more (${error.message}); remove ${folder} to start anew`,
    );
  }
  return server;
}

/** An invisible desktop with a terminal and an editor, or the display in front of the user. */
async function openDesktop() {
  if (process.env.DEMO_DESKTOP === "own") {
    if (!process.env.DISPLAY)
      throw new Error("DEMO_DESKTOP=own needs a display, and DISPLAY is not set");
    return new Desktop({ display: 0, folder, width: 0, height: 0, env: {} });
  }
  const desktop = await startDesktop({
    folder: path.join(folder, "desktop"),
    width: 1280,
    height: 800,
  });
  cleanup.stopping(desktop);
  desktop.ask("xsetroot", ["-solid", "#2b4c6f"]);
  desktop.run(
    "xterm",
    ["-geometry", "90x26+40+40", "-fa", "DejaVu Sans Mono", "-fs", "11", "-title", "Terminal"],
    {
      cwd: desktop.env.HOME,
    },
  );
  desktop.run("mousepad", [], { cwd: desktop.env.HOME });
  return desktop;
}

/** @param {Server} server @param {Desktop} desktop */
async function startAgent(server, desktop) {
  const agent = new Agent({ folder, server: server.url, env: desktop.env });
  cleanup.stopping(agent);
  // It is enrolled anew in each run: the port may have changed, and so may the database.
  rmSync(agent.dataFolder, { recursive: true, force: true });
  agent.args = ["--device-id", "demo"];
  agent.start(await server.api.enrolmentToken("demo"));
  return agent;
}

/** @param {string[]} lines */
function announce(lines) {
  const width = Math.max(...lines.map((line) => line.length)) + 4;
  const edge = "═".repeat(width);
  console.log(`\n╔${edge}╗`);
  for (const line of ["", ...lines, ""]) console.log(`║  ${line.padEnd(width - 2)}║`);
  console.log(`╚${edge}╝`);
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => void stop(0));
}
main().catch((error) => stop(1, `error: ${error instanceof Error ? error.message : error}`));
