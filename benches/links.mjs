// @ts-check
// The same work over lines of different speed, in one run: what reaches the technician's eye,
// how late, at what cost, and how exact it is when it has come to rest.
//
//   node links.mjs [--stacks guruconnect,x11vnc,xvnc,meshcentral] [--lines lan,20000/40,2000/80,256/300]
//                  [--scenes typing,scroll,video] [--also lan:video@60,64/300:typing,64/300:video]
//                  [--settle 4] [--seconds 8] [--out results/NAME]
//
// A line is kilobits a second / milliseconds of round trip; `lan` is neither. A scene may say
// how many frames a second it draws; every line has all of `--scenes`, and `--also` names single
// ones. The first `--settle` seconds of a scene, in which a program learns what the line carries,
// do not count; more of them where the line takes longer for what a fast one had on its way.

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startDesktop } from "../scripts/lib/desktop.mjs";
import { SlowLink } from "../scripts/lib/link.mjs";
import { Cleanup, sleep } from "../scripts/lib/processes.mjs";
import { monotonicMs, Workload } from "../scripts/lib/workload.mjs";
import { cpuSeconds, favour } from "./lib/accounting.mjs";
import { exactness, watchRest } from "./lib/exactness.mjs";
import { assertRunning, attempt, running } from "./lib/failures.mjs";
import { linksChart, linksReport } from "./lib/links-report.mjs";
import { machineFacts } from "./lib/machine.mjs";
import { save } from "./lib/results.mjs";
import { chance, quantile, rounded } from "./lib/statistics.mjs";
import { unique } from "./lib/tables.mjs";
import { inputLatency, installProbe, openBrowser, summary } from "./lib/viewer.mjs";
import { desktops, stacks } from "./stacks/index.mjs";

const { values: options } = parseArgs({
  options: {
    stacks: { type: "string", default: "guruconnect,x11vnc,xvnc,meshcentral" },
    lines: { type: "string", default: "lan,20000/40,2000/80,256/300" },
    scenes: { type: "string", default: "typing,scroll,video" },
    also: { type: "string", default: "lan:video@60,64/300:typing,64/300:video" },
    settle: { type: "string", default: "4" },
    seconds: { type: "string", default: "8" },
    out: { type: "string", default: "" },
  },
});
const settle = Number(options.settle);
const seconds = Number(options.seconds);
const random = chance(12_345);

/** Higher than everything that is not measured. */
const NICENESS = -15;

/** A copy of the canvas is compared this long after everything came to rest. */
const COMPARED_AFTER_MS = 500;
/** How long we wait for the canvas to become exact. */
const LOOK_MS = 4_000;
/** An input that takes longer than this counts as lost. */
const LOST_AFTER_MS = 6_000;

/** What a program may have sent before it noticed how slow the line has become. */
const SENT_UNAWARE_BYTES = 96_000;

/** @type {import('./lib/links-report.mjs').LinkMeasurement[]} */
const measurements = [];
/** @type {import('./lib/failures.mjs').Failure[]} */
const failures = [];

/** What is measured of each program, one line after the other. */
function cells() {
  const everywhere = options.lines
    .split(",")
    .flatMap((line) => options.scenes.split(",").map((scene) => ({ line, scene })));
  const also = options.also.split(",").filter(Boolean);
  const all = everywhere.concat(
    also.map((cell) => {
      const [line, scene] = cell.split(":");
      return { line, scene };
    }),
  );
  return unique(all.map(({ line }) => line)).flatMap((line) =>
    all.filter((cell) => cell.line === line),
  );
}

/** @param {string} line */
function parseLine(line) {
  if (line === "lan") return {};
  const [kilobitsPerSecond, roundTripMs] = line.split("/").map(Number);
  return { kilobitsPerSecond, roundTripMs };
}

/** @param {string} name */
async function measureStack(name) {
  const cleanup = new Cleanup();
  try {
    const folder = mkdtempSync(path.join(os.tmpdir(), "gc-links-"));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const start = desktops[name] ?? startDesktop;
    const desktop = cleanup.stopping(
      await start({ folder, width: 1920, height: 1080, windowManager: false }),
    );
    const backdrop = new Workload(desktop, ["scene", "idle", "--still"]);
    await backdrop.ready();
    const stack = await stacks[name]({ desktop, folder, cleanup });
    const link = cleanup.stopping(new SlowLink(stack.port));
    await link.listen();
    const { browser, page } = await openBrowser(stack);
    cleanup.add(() => browser.close());
    await stack.open?.(page, link.port);
    await installProbe(page);
    await backdrop.stop();
    for (const { line, scene } of cells()) {
      await attempt(failures, name, `${line}, ${scene}`, async () => {
        assertRunning(stack);
        measurements.push(await measure({ name, line, scene, desktop, stack, link, page }));
      });
      if (!running(stack)) return;
    }
  } finally {
    await cleanup.run();
  }
}

/**
 * @param {{ name: string, line: string, scene: string, desktop: import('../scripts/lib/desktop.mjs').Desktop,
 *   stack: import('./stacks/index.mjs').Stack, link: SlowLink, page: import('playwright-core').Page }} what
 * @returns {Promise<import('./lib/links-report.mjs').LinkMeasurement>}
 */
async function measure({ name, line, scene, desktop, stack, link, page }) {
  // The scene's first picture comes over a fast line; only what moves is measured.
  link.become({});
  const { kilobitsPerSecond = Number.POSITIVE_INFINITY } = parseLine(line);
  const settling = Math.max(settle, (SENT_UNAWARE_BYTES * 8) / 1e3 / kilobitsPerSecond);
  const length = String(settling + seconds);
  const [play, rate] = scene.split("@");
  const paced = rate ? ["--rate", rate] : [];
  const workload = new Workload(desktop, ["scene", play, ...paced, "--seconds", length, "--hold"]);
  try {
    await workload.ready();
    favour([process.pid], NICENESS);
    await sleep(1_500);
    link.become(parseLine(line));
    await page.evaluate(() => /** @type {any} */ (window).probe.find());
    workload.go();
    await sleep(settling * 1_000);

    await page.evaluate(() => /** @type {any} */ (window).probe.reset());
    const work = [desktop.serverPid, ...stack.agent];
    const before = {
      cpu: cpuSeconds(work),
      bytes: link.carried.down,
      drawn: workload.frames.size,
      at: monotonicMs(),
    };
    /** @type {number[]} */
    const latencies = [];
    let lost = 0;
    while (!workload.end) {
      const trial = { kind: /** @type {const} */ ("key"), trials: 1, workload, chance: random };
      const { all, lost: one } = await inputLatency(page, { ...trial, withinMs: LOST_AFTER_MS });
      latencies.push(all.median ?? LOST_AFTER_MS);
      lost += one;
    }
    const played = (monotonicMs() - before.at) / 1_000;
    const drawn = workload.frames.size - before.drawn;
    await watchRest(page, { atMs: COMPARED_AFTER_MS, lookMs: LOOK_MS });
    const cpu = cpuSeconds(work) - before.cpu;
    const bytes = link.carried.down - before.bytes;
    assertRunning(stack);

    /** @type {[number, number][]} */
    const seen = await page.evaluate(() => /** @type {any} */ (window).probe.seen);
    const ages = new Map();
    for (const [frame, at] of seen) {
      const drawnAt = workload.frames.get(frame);
      // What was drawn before and only arrives now says how it was then.
      if (drawnAt === undefined || drawnAt < before.at || ages.has(frame)) continue;
      ages.set(frame, at - drawnAt);
    }
    const rest = await exactness(page, desktop, workload.text);
    console.error(
      `${name}, ${line}, ${scene}: key ${rounded(quantile(latencies, 0.5), 0)} ms (${lost} lost), ` +
        `${ages.size} of ${drawn} shown, age ${rounded(quantile([...ages.values()], 0.5), 0)} ms, ` +
        `${(bytes / 1e3).toFixed(0)} kB, exact after ${rest.equalAfterMs} ms`,
    );
    return {
      stack: name,
      line,
      scene,
      seconds: rounded(played) ?? seconds,
      drawn,
      shown: ages.size,
      ageMs: summary([...ages.values()]),
      keyMs: summary(latencies),
      keys: latencies.length,
      lost,
      bytes,
      cpuSeconds: rounded(cpu) ?? 0,
      ...rest,
    };
  } finally {
    await workload.stop();
  }
}

const machine = machineFacts();
for (const name of options.stacks.split(",")) {
  await attempt(failures, name, "start", () => measureStack(name));
}
const run = { machine, measurements, failures, seconds };
save("links", options.out, run, linksReport(run), { svg: linksChart(run) });
process.exit(0);
