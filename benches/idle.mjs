// @ts-check
// What an agent costs while nobody looks: memory and CPU beside a desktop on which a caret
// blinks. The agents run side by side, so that what else the machine does falls on all.
//
//   node idle.mjs [--stacks guruconnect,x11vnc,x0vncserver,meshcentral] [--seconds 60] [--settle 20]

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startDesktop } from "../scripts/lib/desktop.mjs";
import { Cleanup, sleep } from "../scripts/lib/processes.mjs";
import { monotonicMs, Workload } from "../scripts/lib/workload.mjs";
import { exactCpuSeconds, proportionalBytes, residentBytes } from "./lib/accounting.mjs";
import { OURS } from "./lib/compare.mjs";
import { assertRunning, attempt, failuresSection } from "./lib/failures.mjs";
import { describeMachine, machineFacts } from "./lib/machine.mjs";
import { save } from "./lib/results.mjs";
import { table } from "./lib/tables.mjs";
import { stacks } from "./stacks/index.mjs";

const { values: options } = parseArgs({
  options: {
    stacks: { type: "string", default: "guruconnect,x11vnc,x0vncserver,meshcentral" },
    seconds: { type: "string", default: "60" },
    settle: { type: "string", default: "20" },
    out: { type: "string", default: "" },
  },
});

const machine = machineFacts();
const cleanup = new Cleanup();
/** @type {import('./lib/failures.mjs').Failure[]} */
const failures = [];

/** @param {string} name */
async function start(name) {
  const folder = mkdtempSync(path.join(os.tmpdir(), `gc-idle-${name}-`));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const desktop = cleanup.stopping(
    await startDesktop({ folder, width: 1920, height: 1080, windowManager: false }),
  );
  const workload = new Workload(desktop, ["scene", "idle", "--seconds", "3600", "--hold"]);
  await workload.ready();
  workload.go();
  return { name, ...(await stacks[name]({ desktop, folder, cleanup })) };
}

try {
  /** @type {Awaited<ReturnType<typeof start>>[]} */
  const running = [];
  for (const name of options.stacks.split(",")) {
    await attempt(failures, name, "start", async () => {
      running.push(await start(name));
    });
  }
  await sleep(Number(options.settle) * 1_000);

  const before = running.map(({ agent, relay }) => ({
    agent: exactCpuSeconds(agent),
    relay: exactCpuSeconds(relay),
    at: monotonicMs(),
  }));
  await sleep(Number(options.seconds) * 1_000);
  /** @type {{ stack: string, seconds: number, agentCpuPercent: number, agentResidentBytes: number,
   *   agentProportionalBytes: number, relayCpuPercent: number, relayResidentBytes: number }[]} */
  const measurements = [];
  for (const [index, { name, agent, relay }] of running.entries()) {
    await attempt(failures, name, "rest", async () => {
      assertRunning({ agent, relay });
      const seconds = (monotonicMs() - before[index].at) / 1_000;
      measurements.push({
        stack: name,
        seconds,
        agentCpuPercent: ((exactCpuSeconds(agent) - before[index].agent) / seconds) * 100,
        agentResidentBytes: residentBytes(agent),
        agentProportionalBytes: proportionalBytes(agent),
        relayCpuPercent: ((exactCpuSeconds(relay) - before[index].relay) / seconds) * 100,
        relayResidentBytes: residentBytes(relay),
      });
    });
  }

  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  const ours = measurements.find(({ stack }) => stack === OURS);
  const text = [
    `# Agents at rest, ${machine.date}`,
    describeMachine(machine),
    `Nobody looks; a caret blinks twice a second; ${options.seconds} s.`,
    table(
      [
        "stack",
        "agent CPU % of a core",
        "agent RSS MB",
        "agent PSS MB",
        "relay CPU %",
        "relay RSS MB",
      ],
      measurements.map((one) => [
        one.stack,
        one.agentCpuPercent.toFixed(3),
        megabytes(one.agentResidentBytes),
        megabytes(one.agentProportionalBytes),
        one.relayCpuPercent.toFixed(3),
        megabytes(one.relayResidentBytes),
      ]),
    ),
    ...(ours
      ? [
          `- ${ours.agentResidentBytes < 10e6 ? "holds" : "**does not hold**"}: our agent rests below 10 MB of resident memory (${megabytes(ours.agentResidentBytes)})\n` +
            `- ${ours.agentCpuPercent < 0.5 ? "holds" : "**does not hold**"}: and below 0.5 % of a core (${ours.agentCpuPercent.toFixed(3)})`,
        ]
      : []),
    ...failuresSection(failures),
  ].join("\n\n");
  save("idle", options.out, { machine, measurements, failures }, text);
} finally {
  await cleanup.run();
}
process.exit(0);
