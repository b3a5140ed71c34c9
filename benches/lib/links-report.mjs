// @ts-check
// The tables and the chart of the lines.

import { logarithmicBars } from "./chart.mjs";
import { describeMachine, table } from "./report.mjs";

/**
 * @typedef {import('./report.mjs').Summary} Summary
 * @typedef {{ stack: string, line: string, scene: string, seconds: number, drawn: number, shown: number,
 *   ageMs: Summary, keyMs: Summary, keys: number, lost: number, bytes: number, cpuSeconds: number,
 *   equalAfterMs: number | null, equalShare: number, ssim: number }} LinkMeasurement
 * @typedef {{ machine: ReturnType<typeof import('./machine.mjs').machineFacts>, seconds: number,
 *   measurements: LinkMeasurement[] }} LinkRun
 */

const OURS = "guruconnect";

/**
 * What was promised: at most this share of the best peer's figure; and how many times the line's
 * round trip is in it whatever a program does.
 */
const PROMISED = /** @type {const} */ ([
  ["key to pixel", 0.5, 1, (/** @type {LinkMeasurement} */ one) => one.keyMs.median],
  ["age", 0.5, 0.5, (/** @type {LinkMeasurement} */ one) => one.ageMs.median],
  ["bytes per update", 0.6, 0, (/** @type {LinkMeasurement} */ one) => perUpdate(one, one.bytes)],
  [
    "agent CPU ms per update",
    0.7,
    0,
    (/** @type {LinkMeasurement} */ one) => perUpdate(one, one.cpuSeconds) * 1e3,
  ],
]);

/** @param {LinkRun} run */
export function linksReport({ machine, measurements, seconds }) {
  const parts = [
    `# Remote desktops over slow lines, ${machine.date}`,
    describeMachine(machine),
    `Display and canvas 1920x1080. The line is between the browser and the relay, its rate counts for each direction. ` +
      `Each scene plays for ${seconds} seconds while keys are pressed. What the columns mean: [benches/README.md](../README.md).`,
  ];
  for (const line of unique(measurements.map((one) => one.line))) {
    for (const scene of unique(measurements.map((one) => one.scene))) {
      const rows = measurements.filter((one) => one.line === line && one.scene === scene);
      if (rows.length > 0) parts.push(`## ${lineName(line)}: ${scene}`, sceneTable(rows));
    }
  }
  const promises = promised(measurements);
  if (promises.length > 0) {
    parts.push(
      "## what was promised",
      "The line's own round trip is in every key and half of it in every age: what no program can take away. The last column leaves it out.",
      table(
        [
          ...["line", "scene", "what", "ours", "best peer", "share", "promised", "held"],
          "share beyond the line",
        ],
        promises,
      ),
    );
  }
  return parts.join("\n\n");
}

/** @param {LinkMeasurement[]} rows */
function sceneTable(rows) {
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
    ],
    rows.map((row) => [
      row.stack,
      (row.shown / row.seconds).toFixed(1),
      whole(row.keyMs.median),
      whole(row.keyMs.p95),
      `${row.lost} of ${row.keys + row.lost}`,
      whole(row.ageMs.median),
      whole(row.ageMs.p95),
      ((row.bytes * 8) / 1e3 / row.seconds).toFixed(0),
      (perUpdate(row, row.bytes) / 1e3).toFixed(1),
      (perUpdate(row, row.cpuSeconds) * 1e3).toFixed(1),
      `${(row.equalShare * 100).toFixed(2)} %`,
      row.ssim.toFixed(4),
      row.equalAfterMs === null ? "never" : whole(row.equalAfterMs),
    ]),
  );
}

/** @param {LinkMeasurement[]} measurements */
function promised(measurements) {
  return measurements
    .filter((one) => one.stack === OURS)
    .flatMap((ours) => {
      const peers = measurements.filter(
        (one) => one.stack !== OURS && one.line === ours.line && one.scene === ours.scene,
      );
      return PROMISED.flatMap(([what, most, roundTrips, of]) => {
        const theirs = peers.map(of).filter((value) => value !== null);
        const own = of(ours);
        if (theirs.length === 0 || own === null) return [];
        const best = Math.min(...theirs);
        const line = roundTripMs(ours.line) * roundTrips;
        const beyond = line > 0 ? ((own - line) / (best - line)).toFixed(2) : "";
        const share = own / best;
        return [
          [
            lineName(ours.line),
            ours.scene,
            what,
            figure(own),
            figure(best),
            share.toFixed(2),
            String(most),
            share <= most ? "yes" : "no",
            beyond,
          ],
        ];
      });
    });
}

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

/** @param {string} line */
function lineName(line) {
  if (line === "lan") return "LAN";
  const [kilobits, milliseconds] = line.split("/").map(Number);
  const rate = kilobits >= 1_000 ? `${kilobits / 1_000} Mbit/s` : `${kilobits} kbit/s`;
  return `${rate}, ${milliseconds} ms`;
}

/** @param {LinkMeasurement} row @param {number} total */
function perUpdate(row, total) {
  return total / Math.max(1, row.shown);
}

/** @param {number | null} value */
const whole = (value) => value?.toFixed(0) ?? "-";

/** @param {number} value */
const figure = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** @template T @param {T[]} values */
const unique = (values) => [...new Set(values)];
