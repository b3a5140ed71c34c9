// @ts-check
// The tables and the chart of the lines.

import { logarithmicBars } from "./chart.mjs";
import { compare, OURS, perUpdate } from "./compare.mjs";
import { failuresSection } from "./failures.mjs";
import { describeMachine } from "./machine.mjs";
import {
  BOTH_CORES,
  EXACT_PIXELS,
  FEW_BYTES,
  LOOKING,
  MOTION,
  PACKED_FIRST,
  PHOTOGRAPHIC,
  ROUND_TRIP,
  X_SERVER,
} from "./reasons.mjs";
import { table, unique } from "./tables.mjs";

/**
 * @typedef {import('./report.mjs').Summary} Summary
 * @typedef {{ stack: string, line: string, scene: string, seconds: number, drawn: number, shown: number,
 *   ageMs: Summary, keyMs: Summary, keys: number, lost: number, bytes: number, cpuSeconds: number,
 *   equalAfterMs: number | null } & import('./exactness.mjs').Exactness} LinkMeasurement
 * @typedef {{ machine: ReturnType<typeof import('./machine.mjs').machineFacts>, seconds: number,
 *   measurements: LinkMeasurement[], failures: import('./failures.mjs').Failure[] }} LinkRun
 */

/**
 * What was promised: at most this share of the best peer's figure; how many times the line's
 * round trip is in it whatever a program does; and what would flatter it.
 *
 * @type {{ what: string, most: number, roundTrips: number, value: (one: LinkMeasurement) => number | null,
 *   flattered: { shown?: (one: LinkMeasurement) => number, ssim?: (one: LinkMeasurement) => number } }[]}
 */
const PROMISED = [
  {
    what: "key to pixel",
    most: 0.5,
    roundTrips: 1,
    value: (one) => one.keyMs.median,
    flattered: {},
  },
  {
    what: "age",
    most: 0.5,
    roundTrips: 0.5,
    value: (one) => one.ageMs.median,
    flattered: { shown },
  },
  {
    what: "bytes per update",
    most: 0.6,
    roundTrips: 0,
    value: (one) => perUpdate(one.bytes, one.shown),
    flattered: { ssim: (one) => one.ssim },
  },
  {
    what: "agent CPU ms per update",
    most: 0.7,
    roundTrips: 0,
    value: (one) => perUpdate(one.cpuSeconds * 1e3, one.shown),
    flattered: { shown },
  },
];

/** Everything is exact so long after it came to rest, in milliseconds, on lines faster than this. */
const EXACT_WITHIN_MS = 500;
const EXACT_ABOVE_KILOBITS = 256;

/** @param {LinkRun} run */
export function linksReport({ machine, measurements, failures, seconds }) {
  const parts = [
    `# Remote desktops over slow lines, ${machine.date}`,
    describeMachine(machine),
    `Display and canvas 1920x1080. The line is between the browser and the relay, its rate counts for each direction. ` +
      `Each scene plays for ${seconds} seconds while keys are pressed. What the columns mean: [benches/README.md](../README.md).`,
  ];
  for (const line of unique(measurements.map((one) => one.line))) {
    for (const scene of unique(measurements.map((one) => one.scene))) {
      const rows = measurements.filter((one) => one.line === line && one.scene === scene);
      const failed = failures.map(({ stack }) => stack);
      if (rows.length > 0) parts.push(`## ${lineName(line)}: ${scene}`, sceneTable(rows, failed));
    }
  }
  const promises = linkPromises(measurements);
  if (promises.length > 0) {
    parts.push(
      "## what was promised",
      "The line's own round trip is in every key and half of it in every age: what no program can take away. The last column leaves it out.",
      table(
        [
          ...["line", "scene", "what", "ours", "best other", "share", "promised", "held"],
          "share beyond the line",
        ],
        promises,
      ),
    );
  }
  parts.push(...failuresSection(failures));
  return parts.join("\n\n");
}

/** @param {LinkMeasurement[]} rows @param {string[]} failed stacks that did not come to their end */
function sceneTable(rows, failed) {
  const without = unique(failed).filter((stack) => !rows.some((row) => row.stack === stack));
  return table(
    [
      "stack",
      "updates shown/s",
      "key to pixel median ms",
      "95th ms",
      "keys lost",
      "age median ms",
      "age 95th ms",
      "kbit/s",
      "kB per update",
      "agent + X CPU ms per update",
      "equal after 500 ms",
      "SSIM",
      "exact after ms",
      "text equal",
    ],
    [...rows.map(sceneRow), ...without.map((stack) => [stack, "failed"])],
  );
}

/** @param {LinkMeasurement} row */
function sceneRow(row) {
  return [
    row.stack,
    shown(row).toFixed(1),
    whole(row.keyMs.median),
    whole(row.keyMs.p95),
    `${row.lost} of ${row.keys}`,
    whole(row.ageMs.median),
    whole(row.ageMs.p95),
    ((row.bytes * 8) / 1e3 / row.seconds).toFixed(0),
    perUpdate(row.bytes / 1e3, row.shown)?.toFixed(1) ?? "-",
    perUpdate(row.cpuSeconds * 1e3, row.shown)?.toFixed(1) ?? "-",
    percent(row.equalShare),
    row.ssim.toFixed(4),
    row.equalAfterMs === null ? "never" : whole(row.equalAfterMs),
    row.textEqualShare === null ? "-" : percent(row.textEqualShare),
  ];
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(2)} %`;

/**
 * What was promised, and whether it holds, as the rows of the report's last table.
 *
 * @param {LinkMeasurement[]} measurements
 */
export function linkPromises(measurements) {
  const scenes = unique(measurements.map((one) => one.scene));
  const cells = unique(measurements.map((one) => one.line)).flatMap((line) =>
    scenes.map((scene) => ({ line, scene })),
  );
  return cells.flatMap(({ line, scene }) => {
    const rows = measurements.filter((one) => one.line === line && one.scene === scene);
    const exact = exactRow(line, scene, rows);
    const compared = PROMISED.flatMap(({ what, most, roundTrips, value, flattered }) => {
      const contenders = rows.map((one) => ({
        stack: one.stack,
        value: value(one),
        shown: flattered.shown?.(one),
        ssim: flattered.ssim?.(one),
      }));
      const reason = reasonFor(line, scene, what);
      const found = compare(contenders, most, { figure, reason });
      if (!found) return [];
      const taken = roundTripMs(line) * roundTrips;
      const [own, best] = [(found.ours ?? Number.NaN) - taken, (found.best ?? 0) - taken];
      const beyond = taken > 0 && best > 0 && own > 0 ? (own / best).toFixed(2) : "";
      return [[lineName(line), scene, what, ...found.cells, beyond]];
    });
    return [...compared, ...exact];
  });
}

/**
 * Whether everything was exact in time, whatever the others do.
 *
 * @param {string} line
 * @param {string} scene
 * @param {LinkMeasurement[]} rows
 */
function exactRow(line, scene, rows) {
  const rate = line === "lan" ? Number.POSITIVE_INFINITY : Number(line.split("/")[0]);
  const ours = rows.find(({ stack }) => stack === OURS);
  if (!ours || rate <= EXACT_ABOVE_KILOBITS) return [];
  /** @param {LinkMeasurement} one */
  const after = ({ equalAfterMs }) =>
    equalAfterMs === null ? "never" : `${whole(equalAfterMs)} ms`;
  const others = rows.filter((one) => one !== ours && one.equalAfterMs !== null);
  const best = others.sort((a, b) => (a.equalAfterMs ?? 0) - (b.equalAfterMs ?? 0))[0];
  const holds = ours.equalAfterMs !== null && ours.equalAfterMs <= EXACT_WITHIN_MS;
  const reason = isFilm(scene) && rate < Number.POSITIVE_INFINITY ? `: ${EXACT_PIXELS(rate)}` : "";
  return [
    [
      ...[lineName(line), scene, "exact after", after(ours)],
      ...[best ? `${after(best)} (${best.stack})` : "never", "-", `${EXACT_WITHIN_MS} ms`],
      ...[holds ? "holds" : `**missed**${reason}`, ""],
    ],
  ];
}

/**
 * Why a cell may miss its aim.
 *
 * @param {string} line
 * @param {string} scene
 * @param {string} what
 */
function reasonFor(line, scene, what) {
  if (what === "bytes per update") return scene === "typing" ? FEW_BYTES : PHOTOGRAPHIC;
  if (what === "agent CPU ms per update") return isFilm(scene) ? MOTION : X_SERVER;
  if (line !== "lan") return ROUND_TRIP;
  if (scene.endsWith("@60")) return BOTH_CORES;
  return isFilm(scene) ? PACKED_FIRST : LOOKING;
}

/** Whatever rate it has. @param {string} scene */
const isFilm = (scene) => scene.split("@")[0] === "video";

/** Key to pixel under the scene that asks most. @param {LinkRun} run */
export function linksChart({ measurements }) {
  const lines = unique(measurements.map((one) => one.line));
  const scenes = unique(measurements.map((one) => one.scene));
  const scene = scenes.includes("video") ? "video" : (scenes[0] ?? "");
  return logarithmicBars({
    title: `Key to pixel while the scene "${scene}" plays`,
    unit: "ms",
    groups: lines.map(lineName),
    series: unique(measurements.map((one) => one.stack)).map((name) => ({
      name,
      values: lines.map(
        (line) =>
          measurements.find((one) => one.stack === name && one.line === line && one.scene === scene)
            ?.keyMs.median ?? null,
      ),
    })),
  });
}

/** @param {string} line */
function roundTripMs(line) {
  return line === "lan" ? 0 : Number(line.split("/")[1]);
}

/** For people. @param {string} line `lan`, or kbit/s and milliseconds there and back */
export function lineName(line) {
  if (line === "lan") return "LAN";
  const [kilobits, milliseconds] = line.split("/").map(Number);
  const rate = kilobits >= 1_000 ? `${kilobits / 1_000} Mbit/s` : `${kilobits} kbit/s`;
  return `${rate}, ${milliseconds} ms`;
}

/** A second. @param {LinkMeasurement} row */
function shown(row) {
  return row.shown / row.seconds;
}

/** @param {number | null} value */
const whole = (value) => value?.toFixed(0) ?? "-";

/** @param {number} value */
const figure = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
