// @ts-check
// A Windows desktop in Wine for benchmarks, through scripts/wine-desktop.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../scripts/lib/guruconnect.mjs";
import { Program, until } from "../../scripts/lib/processes.mjs";

const SCRIPT = path.join(root, "scripts/wine-desktop");

/** @param {{ folder: string }} options */
export async function startWine({ folder }) {
  const state = path.join(folder, "wine");
  const log = path.join(folder, "wine-desktop.log");
  const desktop = new Program({
    command: SCRIPT,
    args: ["up", state, "--monitors", "1280x900"],
    log,
    input: true,
  });
  const isReady = () => {
    desktop.assertRunning();
    return existsSync(log) && /^ready display=/m.test(readFileSync(log, "utf8"));
  };
  await until("the Windows desktop", isReady, { withinMs: 120_000, everyMs: 200 });
  const driveC = path.join(state, "prefix", "drive_c");
  return {
    driveC,
    stop: () => desktop.stop(),
    /** Runs a program to its end. @param {string[]} command */
    finish: (...command) =>
      execFileSync(SCRIPT, ["run", state, ...command], {
        encoding: "utf8",
        timeout: 60_000,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    /** Process ids, outside of Wine, of what has such a word on its command line here. @param {string} word */
    processes: (word) =>
      readdirSync("/proc")
        .filter((id) => /^\d+$/.test(id) && isHere(id, word, path.join(state, "prefix")))
        .map(Number),
  };
}

/** @param {string} id @param {string} word @param {string} prefix */
function isHere(id, word, prefix) {
  try {
    const words = (/** @type {string} */ file) =>
      readFileSync(`/proc/${id}/${file}`, "utf8").split("\0");
    return words("cmdline").includes(word) && words("environ").includes(`WINEPREFIX=${prefix}`);
  } catch {
    return false; // it has just ended
  }
}
