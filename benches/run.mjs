// @ts-check
// Plays the scenes on each stack in turn and measures what a technician would see, in one
// run on one machine:
//
//   node run.mjs [--stacks guruconnect,x11vnc,x0vncserver,meshcentral] [--scenes idle,…] [--rounds 2]
//                [--seconds 10] [--trials 60] [--out results/NAME]
//
// Writes NAME.json (every measurement) and NAME.md (the tables), and prints the tables.

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startDesktop } from "../scripts/lib/desktop.mjs";
import { root } from "../scripts/lib/guruconnect.mjs";
import { Cleanup, sleep } from "../scripts/lib/processes.mjs";
import { monotonicMs, Workload } from "../scripts/lib/workload.mjs";
import {
  browserPids,
  cpuSeconds,
  favour,
  machineCpuSeconds,
  proportionalBytes,
  residentBytes,
  wire,
  wireBetween,
} from "./lib/accounting.mjs";
import { exactness, keepCanvas, motionSsim, sampleMotion } from "./lib/exactness.mjs";
import { assertRunning, attempt, running } from "./lib/failures.mjs";
import { machineFacts } from "./lib/machine.mjs";
import { report } from "./lib/report.mjs";
import { save } from "./lib/results.mjs";
import { chance, quantile, rounded } from "./lib/statistics.mjs";
import { inputLatency, installProbe, openBrowser, summary } from "./lib/viewer.mjs";
import { stacks } from "./stacks/index.mjs";

/** Higher than everything that is not measured. */
const NICENESS = -15;

const { values: options } = parseArgs({
  options: {
    stacks: { type: "string", default: "guruconnect,x11vnc,x0vncserver,meshcentral" },
    scenes: { type: "string", default: "idle,typing,scroll,drag,video,switch" },
    load: { type: "string", default: "idle,video,scroll" },
    rounds: { type: "string", default: "2" },
    seconds: { type: "string", default: "10" },
    trials: { type: "string", default: "60" },
    out: { type: "string", default: "" },
    screenshots: { type: "boolean", default: false },
  },
});
const seconds = Number(options.seconds);
const trials = Number(options.trials);
const scenes = list(options.scenes);
const random = chance(12_345);

/** @param {string} text */
function list(text) {
  return text.split(",").filter(Boolean);
}

/** @type {import('./lib/report.mjs').Measurement[]} */
const measurements = [];
/** @type {import('./lib/failures.mjs').Failure[]} */
const failures = [];

/**
 * @param {string} name
 * @param {number} round
 */
async function measureStack(name, round) {
  const cleanup = new Cleanup();
  const folder = mkdtempSync(path.join(os.tmpdir(), `gc-bench-${name}-`));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const desktop = cleanup.stopping(
      await startDesktop({ folder, width: 1920, height: 1080, windowManager: false }),
    );
    const backdrop = new Workload(desktop, ["scene", "idle", "--still"]);
    await backdrop.ready();
    const stack = await stacks[name]({ desktop, folder, cleanup });
    const page = await openPage(name, stack, cleanup);
    await backdrop.stop();
    const processes = {
      x: [desktop.serverPid],
      agent: stack.agent,
      relay: stack.relay,
      browser: page ? browserPids() : [],
    };
    let ended = false;
    /** @param {string} what @param {string[]} scene @param {(workload: Workload) => Promise<void>} measure */
    const part = async (what, scene, measure) => {
      if (ended) return;
      await attempt(failures, name, `round ${round}, ${what}`, async () => {
        assertRunning(stack);
        await withWorkload(desktop, ["scene", ...scene], measure);
      });
      ended = !running(stack);
    };
    for (const scene of scenes) {
      await part(scene, [scene, "--seconds", String(seconds), "--hold"], (workload) =>
        measureScene({ name, round, scene, desktop, stack, page, processes, workload }),
      );
    }
    if (!page || round > 1) return;
    for (const load of list(options.load)) {
      const mode = load === "idle" ? ["--still"] : ["--seconds", "120", "--hold"];
      await part(`input under ${load}`, [load, ...mode], (workload) =>
        measureLatency({ name, load, stack, page, processes, workload }),
      );
    }
  } finally {
    await cleanup.run();
  }
}

/**
 * @param {import('../scripts/lib/desktop.mjs').Desktop} desktop
 * @param {string[]} args
 * @param {(workload: Workload) => Promise<void>} work
 */
async function withWorkload(desktop, args, work) {
  const workload = new Workload(desktop, args);
  try {
    await workload.ready();
    await work(workload);
  } finally {
    await workload.stop();
  }
}

/**
 * Nothing for a stack that nobody watches.
 *
 * @param {string} name
 * @param {import('./stacks/index.mjs').Stack} stack
 * @param {Cleanup} cleanup
 */
async function openPage(name, stack, cleanup) {
  if (!stack.open) return undefined;
  const { browser, page } = await openBrowser(stack);
  cleanup.add(() => browser.close());
  await stack.open(page);
  const clockErrorMs = await installProbe(page);
  console.error(`${name}: clocks agree to ${clockErrorMs.toFixed(2)} ms`);
  if (options.screenshots)
    await page.screenshot({ path: path.join(root, ".cache", `bench-${name}.png`) });
  return page;
}

/**
 * @typedef {{ x: number[], agent: number[], relay: number[], browser: number[] }} Processes
 * @param {{ name: string, round: number, scene: string, desktop: import('../scripts/lib/desktop.mjs').Desktop,
 *   stack: import('./stacks/index.mjs').Stack, page?: import('playwright-core').Page, processes: Processes,
 *   workload: Workload }} what
 */
async function measureScene({ name, round, scene, desktop, stack, page, processes, workload }) {
  favour([process.pid], NICENESS);
  // The first full picture of the scene is not part of the figures.
  await sleep(1_500);
  await page?.evaluate(() => {
    const { probe } = /** @type {any} */ (window);
    probe.find();
    probe.reset();
  });

  const look = () => ({
    at: monotonicMs(),
    machine: machineCpuSeconds(),
    cpu: {
      ...mapValues(processes, cpuSeconds),
      workload: cpuSeconds([workload.program.pid]),
      us: cpuSeconds([process.pid]),
    },
    wire: stack.port ? wire(stack.port, "chrom") : new Map(),
  });
  const before = look();
  workload.go();
  if (page) await sampleMotion(page, seconds);
  const end = await workload.ended(seconds * 1_000 + 30_000);
  await sleep(500);
  const after = look();
  assertRunning(stack);
  if (page) await keepCanvas(page);

  /** @type {[number, number][]} */
  const seen = page ? await page.evaluate(() => /** @type {any} */ (window).probe.seen) : [];
  const ages = new Map();
  for (const [frame, at] of seen) {
    const drawnAt = workload.frames.get(frame);
    if (drawnAt !== undefined && !ages.has(frame)) ages.set(frame, at - drawnAt);
  }
  const cpu = mapValues(processes, (_, key) => rounded(after.cpu[key] - before.cpu[key]) ?? 0);
  // Everything measured is a child of this process, so the rest of the machine is foreign.
  const foreign = after.machine - before.machine - (after.cpu.us - before.cpu.us);
  const bytes = wireBetween(before.wire, after.wire);
  /** @type {import('./lib/report.mjs').SceneMeasurement} */
  const measurement = {
    kind: "scene",
    stack: name,
    scene,
    round,
    seconds: end.seconds,
    drawn: end.drawn,
    late: end.late,
    shown: ages.size,
    ageMs: summary([...ages.values()]),
    bytesDown: bytes.received,
    bytesUp: bytes.sent,
    cpuSeconds: cpu,
    foreignCpuSeconds: rounded(foreign) ?? 0,
    agentResidentBytes: residentBytes(processes.agent),
    agentProportionalBytes: proportionalBytes(processes.agent),
    exactness: page ? await exactness(page, desktop, workload.text) : null,
    motionSsim: null,
  };
  // The scene's last picture goes before it is drawn again.
  await workload.stop();
  if (page) {
    await withWorkload(desktop, ["scene", scene, "--still"], async (still) => {
      measurement.motionSsim = await motionSsim(page, desktop, still);
    });
  }
  measurements.push(measurement);
  console.error(
    `${name}: ${scene}: ${ages.size} of ${end.drawn} shown, median age ${rounded(quantile([...ages.values()], 0.5), 1)} ms`,
  );
}

/**
 * @param {{ name: string, load: string, stack: import('./stacks/index.mjs').Stack,
 *   page: import('playwright-core').Page, processes: Processes, workload: Workload }} what
 */
async function measureLatency({ name, load, stack, page, processes, workload }) {
  favour([process.pid, ...processes.browser], NICENESS);
  await sleep(1_500);
  const box = await page.evaluate(() => {
    const element = /** @type {any} */ (window).probe.find();
    const { x, y, width } = element.getBoundingClientRect();
    return { x, y, scale: width / 1920 };
  });
  if (load !== "idle") workload.go();
  await page.mouse.move(box.x + 44 * box.scale, box.y + 60 * box.scale);
  await sleep(1_000);
  for (const kind of load === "idle"
    ? /** @type {const} */ (["key", "click"])
    : /** @type {const} */ (["key"])) {
    const latency = await inputLatency(page, { kind, trials, workload, chance: random });
    assertRunning(stack);
    measurements.push({ kind: "latency", stack: name, input: kind, under: load, ...latency });
    console.error(
      `${name}: ${kind} under ${load}: median ${latency.all.median} ms, 95th ${latency.all.p95} ms, ${latency.lost} lost`,
    );
  }
}

/**
 * @template {string} K, V, R
 * @param {Record<K, V>} object
 * @param {(value: V, key: K) => R} change
 * @returns {Record<K, R>}
 */
function mapValues(object, change) {
  const entries = /** @type {[K, V][]} */ (Object.entries(object));
  return /** @type {Record<K, R>} */ (
    Object.fromEntries(entries.map(([key, value]) => [key, change(value, key)]))
  );
}

/** @param {string} name @param {number} round */
async function tryStack(name, round) {
  await attempt(failures, name, `round ${round}, start`, () => measureStack(name, round));
}

const machine = machineFacts();
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const name of list(options.stacks)) await tryStack(name, round);
}
// What a scene costs the X server without anybody watching is taken off once.
await tryStack("nobody", 1);

const run = { machine, measurements, failures, seconds };
save("desktop", options.out, run, report(run));
process.exit(0);
