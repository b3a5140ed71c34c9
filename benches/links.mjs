// @ts-check
// Key to pixel through our own path over lines of different speed, while a video plays:
// frames have to be skipped, never queued.
//
//   node links.mjs [--lines 64/300,256/150,1000/100,10000/40] [--trials 15]
//
// A line is kilobits a second / milliseconds of round trip.

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startDesktop } from "../scripts/lib/desktop.mjs";
import { SlowLink } from "../scripts/lib/link.mjs";
import { Cleanup, sleep } from "../scripts/lib/processes.mjs";
import { Workload } from "../scripts/lib/workload.mjs";
import { machineFacts } from "./lib/machine.mjs";
import { describeMachine, table } from "./lib/report.mjs";
import { save } from "./lib/results.mjs";
import { chance } from "./lib/statistics.mjs";
import { inputLatency, installProbe, openBrowser } from "./lib/viewer.mjs";
import { guruconnect } from "./stacks/guruconnect.mjs";

const { values: options } = parseArgs({
  options: {
    lines: { type: "string", default: "64/300,256/150,1000/100,10000/40" },
    scenes: { type: "string", default: "idle,video,scroll" },
    trials: { type: "string", default: "15" },
    out: { type: "string", default: "" },
  },
});
const random = chance(12_345);

/** @param {string} line @param {string} scene */
async function measure(line, scene) {
  const [kilobitsPerSecond, roundTripMs] = line.split("/").map(Number);
  const cleanup = new Cleanup();
  try {
    const folder = mkdtempSync(path.join(os.tmpdir(), "gc-links-"));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const desktop = cleanup.stopping(
      await startDesktop({ folder, width: 1920, height: 1080, windowManager: false }),
    );
    const workload = new Workload(desktop, [
      "scene",
      scene,
      ...(scene === "idle" ? ["--still"] : ["--seconds", "600", "--hold"]),
    ]);
    await workload.ready();
    const stack = await guruconnect({ desktop, folder, cleanup });
    const link = cleanup.stopping(new SlowLink(stack.port));
    await link.listen();
    const { browser, page } = await openBrowser();
    cleanup.add(() => browser.close());
    await stack.open?.(page, `http://127.0.0.1:${link.port}`);
    await installProbe(page);

    // The page itself comes over a fast line; only the session is measured.
    await sleep(1_000);
    link.become({ kilobitsPerSecond, roundTripMs });
    workload.go();
    await sleep(3_000);
    await page.evaluate(() => /** @type {any} */ (window).probe.reset());
    const carried = link.carried.down;
    const begin = performance.now();
    const latency = await inputLatency(page, {
      kind: "key",
      trials: Number(options.trials),
      workload,
      chance: random,
      withinMs: 15_000,
    });
    const seconds = (performance.now() - begin) / 1_000;
    const updates = await page.evaluate(() => /** @type {any} */ (window).probe.seen.length);
    const kilobits = ((link.carried.down - carried) * 8) / 1e3 / seconds;
    console.error(`${line}, ${scene}: median ${latency.all.median} ms, 95th ${latency.all.p95} ms`);
    return {
      kilobitsPerSecond,
      roundTripMs,
      scene,
      latency,
      updatesPerSecond: updates / seconds,
      kilobitsUsed: kilobits,
    };
  } finally {
    await cleanup.run();
  }
}

const machine = machineFacts();
const measurements = [];
for (const line of options.lines.split(",")) {
  for (const scene of options.scenes.split(",")) measurements.push(await measure(line, scene));
}
const text = [
  `# Key to pixel over slow lines, ${machine.date}`,
  describeMachine(machine),
  "Our own path; the line is between browser and server. Its rate counts for each direction.",
  table(
    [
      "kbit/s",
      "round trip ms",
      "scene",
      "median ms",
      "95th ms",
      "slowest ms",
      "lost",
      "updates shown/s",
      "kbit/s used",
    ],
    measurements.map(
      ({ kilobitsPerSecond, roundTripMs, scene, latency, updatesPerSecond, kilobitsUsed }) => [
        String(kilobitsPerSecond),
        String(roundTripMs),
        scene,
        latency.all.median?.toFixed(0) ?? "-",
        latency.all.p95?.toFixed(0) ?? "-",
        latency.all.max?.toFixed(0) ?? "-",
        `${latency.lost} of ${latency.trials}`,
        updatesPerSecond.toFixed(1),
        kilobitsUsed.toFixed(0),
      ],
    ),
  ),
].join("\n\n");
save("links", options.out, { machine, measurements }, text);
process.exit(0);
