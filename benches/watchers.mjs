// @ts-check
// Several technicians look at one machine, one of them over a line of 64 kbit/s: what each is
// shown, how soon a late one sees the whole picture, and what the agent takes for it. The
// viewers are headless ones (agent/benches/watchers.rs): three browsers on a small machine
// would be measured instead of the agent.
//
//   node watchers.mjs [--rounds 3] [--seconds 15] [--scenes video,scroll]
//                     [--agent path/of/guruconnect-agent] [--before path/of/an/older/one]
//                     [--out results/NAME]

import { execFileSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";
import { root } from "../scripts/lib/guruconnect.mjs";
import { favour } from "./lib/accounting.mjs";
import { describeMachine, machineFacts } from "./lib/machine.mjs";
import { save } from "./lib/results.mjs";
import { median, rounded } from "./lib/statistics.mjs";
import { table } from "./lib/tables.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "15" },
    scenes: { type: "string", default: "video,scroll" },
    agent: { type: "string", default: "" },
    before: { type: "string", default: "" },
    out: { type: "string", default: "" },
  },
});

/** Higher than everything that is not measured; programs that are started inherit it. */
const NICENESS = -15;

/**
 * @typedef {{ agent: 'this' | 'before', scene: string, watchers: number, seconds: number, drawn_per_s: number,
 *   first_shown_per_s: number, late_shown_per_s: number | null, slow_updates_per_s: number | null,
 *   late_whole_picture_ms: number | null, first_longest_gap_while_joining_ms: number | null,
 *   first_longest_gap_ms: number, agent_cpu_ms_per_s: number, x_server_cpu_ms_per_s: number }} Cell
 */

/** @param {'this' | 'before'} agent @param {string[]} args @returns {Cell[]} */
function play(agent, args) {
  const profile = process.env.GC_PROFILE === "debug" ? ["--profile", "dev"] : [];
  const own = ["--seconds", options.seconds, "--scenes", options.scenes, ...args];
  const output = execFileSync(
    "cargo",
    [
      "bench",
      "-q",
      "--locked",
      ...profile,
      "-p",
      "guruconnect-agent",
      "--bench",
      "watchers",
      "--",
      ...own,
    ],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  const cells = output.split("\n").filter((line) => line.startsWith("{"));
  return cells.map((line) => ({ agent, ...JSON.parse(line) }));
}

/** @param {Cell[]} cells @param {keyof Cell} column @param {number} [digits] */
function middle(cells, column, digits = 1) {
  const values = cells
    .map((cell) => Number(cell[column]))
    .filter((value) => Number.isFinite(value));
  if (values.length === 0 || cells.every((cell) => cell[column] === null)) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${rounded(median(values), digits)} (${rounded(low, digits)} to ${rounded(high, digits)})`;
}

const machine = machineFacts();
favour([process.pid], NICENESS);
/** @type {Cell[]} */
const measurements = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const own = options.agent ? ["--agent", path.resolve(options.agent)] : [];
  measurements.push(...play("this", own));
  if (options.before) {
    measurements.push(...play("before", ["--agent", path.resolve(options.before)]));
  }
}

const names = { this: "this agent", before: "an agent that reads and packs for each viewer" };
const parts = [
  `# Several technicians at one machine, ${machine.date}`,
  describeMachine(machine),
  (process.env.GC_PROFILE === "debug"
    ? "**Built with the development profile**: only the codec, VP9, sealing and the session are optimised. "
    : "") +
    "Display 1920x1080 (Xvfb), one agent, headless viewers that decode everything but films, all on one machine. " +
    `Each cell is the median of ${options.rounds} rounds of ${options.seconds} s (lowest to highest). With three viewers, the first ` +
    "was there before the scene, another is behind a line of 64 kbit/s and 150 ms, and the late one came while the scene played. " +
    "Frames are updates of more than 10 000 pixels; what comes over the slow line is smaller. CPU is milliseconds of a core for each second.",
];
for (const scene of options.scenes.split(",")) {
  const rows = [];
  for (const agent of /** @type {const} */ (["this", "before"])) {
    for (const watchers of [1, 3]) {
      const cells = measurements.filter(
        (cell) => cell.agent === agent && cell.scene === scene && cell.watchers === watchers,
      );
      if (cells.length === 0) continue;
      rows.push([
        names[agent],
        String(watchers),
        middle(cells, "drawn_per_s"),
        middle(cells, "first_shown_per_s"),
        middle(cells, "late_shown_per_s"),
        middle(cells, "slow_updates_per_s"),
        middle(cells, "late_whole_picture_ms", 0),
        middle(cells, "first_longest_gap_while_joining_ms", 0),
        middle(cells, "agent_cpu_ms_per_s", 0),
        middle(cells, "x_server_cpu_ms_per_s", 0),
      ]);
    }
  }
  parts.push(
    `## ${scene}`,
    table(
      [
        "agent",
        "viewers",
        "drawn/s",
        "first: shown/s",
        "late: shown/s",
        "64 kbit/s: updates/s",
        "late: whole picture ms",
        "first: longest gap while the late one joins, ms",
        "agent CPU",
        "X server CPU",
      ],
      rows,
    ),
  );
  const rate = (/** @type {number} */ watchers) =>
    median(
      measurements
        .filter(
          (cell) => cell.agent === "this" && cell.scene === scene && cell.watchers === watchers,
        )
        .map((cell) => cell.first_shown_per_s),
    ) ?? 0;
  const kept = rate(3) / rate(1);
  const joined = measurements
    .filter((cell) => cell.agent === "this" && cell.scene === scene && cell.watchers === 3)
    .map((cell) => cell.late_whole_picture_ms ?? Number.POSITIVE_INFINITY);
  const says = (/** @type {boolean} */ holds) => (holds ? "holds" : "**does not hold**");
  parts.push(
    `- ${says(kept > 0.95)}: with two more the first is shown at least 95 % of its frames (${rounded(kept * 100, 1)} %)\n` +
      `- ${says((median(joined) ?? 0) < 300)}: who joins has the whole picture within 300 ms (${rounded(median(joined), 0)} ms)`,
  );
}
save("watchers", options.out, { machine, measurements }, parts.join("\n\n"));
