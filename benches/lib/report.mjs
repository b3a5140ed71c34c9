// @ts-check
// Measurements as Markdown tables, and what we promise held against them.

import { compare, OURS, perUpdate } from "./compare.mjs";
import { failuresSection } from "./failures.mjs";
import { describeMachine } from "./machine.mjs";
import {
  ALL_OF_IT,
  BESIDE_FILM,
  FEW_BYTES,
  LOOKING,
  MOTION,
  PACKED_FIRST,
  PACKED_WHOLE,
  PHOTOGRAPHIC,
  SEARCHING,
} from "./reasons.mjs";
import { median } from "./statistics.mjs";
import { table, unique } from "./tables.mjs";

/**
 * @typedef {{ median: number | null, p95: number | null, min: number | null, max: number | null }} Summary
 * @typedef {{ kind: 'scene', stack: string, scene: string, round: number, seconds: number, drawn: number, late: number,
 *   shown: number, ageMs: Summary, bytesDown: number, bytesUp: number,
 *   cpuSeconds: { x: number, agent: number, relay: number, browser: number }, foreignCpuSeconds: number,
 *   agentResidentBytes: number, agentProportionalBytes: number,
 *   exactness: import('./exactness.mjs').Exactness | null, motionSsim: number | null }} SceneMeasurement
 * @typedef {{ kind: 'latency', stack: string, input: string, under: string, trials: number, lost: number,
 *   all: Summary, toTheScreen: Summary, back: Summary }} LatencyMeasurement
 * @typedef {SceneMeasurement | LatencyMeasurement} Measurement
 */

/**
 * @param {{ machine: ReturnType<typeof import('./machine.mjs').machineFacts>, measurements: Measurement[],
 *   failures: import('./failures.mjs').Failure[], seconds: number }} run
 */
export function report({ machine, measurements, failures, seconds }) {
  const scenes = measurements.filter((one) => one.kind === "scene");
  const latencies = measurements.filter((one) => one.kind === "latency");
  const bare = bareCpuOf(scenes);
  const watched = scenes.filter((one) => one.stack !== "nobody");
  const parts = [
    `# Remote desktops side by side, ${machine.date}`,
    describeMachine(machine),
    "Display and canvas 1920x1080, everything on one machine. Each cell is the median over the rounds (lowest to highest). " +
      "What the columns mean: [benches/README.md](../README.md).",
  ];
  for (const scene of unique(watched.map((one) => one.scene))) {
    const rows = watched.filter((one) => one.scene === scene);
    const failed = failures.map(({ stack }) => stack).filter((stack) => stack !== "nobody");
    parts.push(`## ${scene}`, sceneTable(rows, { failed, bareCpu: bare.get(scene) ?? 0, seconds }));
  }
  if (latencies.length > 0) parts.push("## input to pixel", latencyTable(latencies));
  const promises = [...latencyPromises(latencies), ...costPromises(watched, bare)];
  if (promises.length > 0) parts.push("## what was promised", promises.join("\n"));
  const compared = besideTheBest(measurements);
  if (compared.length > 0) parts.push("## against the best of the others", table(HEAD, compared));
  parts.push(...failuresSection(failures));
  return `${parts.join("\n\n")}\n`;
}

/**
 * @param {SceneMeasurement[]} rows
 * @param {{ failed: string[], bareCpu: number, seconds: number }} run `failed`: stacks that did
 *   not come to their end, so that some have no row
 */
function sceneTable(rows, { failed, bareCpu, seconds }) {
  return table(
    [
      "stack",
      "updates shown/s",
      "age median ms",
      "age 95th ms",
      "kB/s",
      "kB per update",
      `agent + X CPU s per ${seconds} s`,
      "agent + X CPU ms per update",
      "relay CPU s",
      "browser CPU s",
      "other CPU s",
      "equal after 500 ms",
      "SSIM",
      "SSIM while it moves",
      "text equal",
    ],
    unique([...rows.map((row) => row.stack), ...failed]).map((stack) => {
      const own = rows.filter((row) => row.stack === stack);
      if (own.length === 0) return [stack, "failed"];
      return [
        stack,
        cell(own.map((row) => row.shown / row.seconds)),
        cell(own.map((row) => row.ageMs.median)),
        cell(own.map((row) => row.ageMs.p95)),
        cell(own.map((row) => row.bytesDown / row.seconds / 1e3)),
        cell(own.map((row) => thousandth(bytesPerUpdate(row)))),
        cell(
          own.map((row) => agentCpu(row, bareCpu)),
          2,
        ),
        cell(
          own.map((row) => cpuPerUpdate(row, bareCpu)),
          1,
        ),
        cell(
          own.map((row) => row.cpuSeconds.relay),
          2,
        ),
        cell(own.map((row) => row.cpuSeconds.browser)),
        cell(own.map((row) => row.foreignCpuSeconds)),
        percent(own.map((row) => row.exactness?.equalShare ?? null)),
        cell(
          own.map((row) => row.exactness?.ssim ?? null),
          4,
        ),
        cell(
          own.map((row) => row.motionSsim),
          4,
        ),
        percent(own.map((row) => row.exactness?.textEqualShare ?? null)),
      ];
    }),
  );
}

/** Capturing is partly done by the X server, so its share above the bare scene counts. @param {SceneMeasurement} row @param {number} bareCpu */
function agentCpu(row, bareCpu) {
  return Math.max(0, row.cpuSeconds.agent + row.cpuSeconds.x - bareCpu);
}

/** In milliseconds. @param {SceneMeasurement} row @param {number} bareCpu */
function cpuPerUpdate(row, bareCpu) {
  return perUpdate(agentCpu(row, bareCpu) * 1e3, row.shown);
}

/** @param {SceneMeasurement} row */
function bytesPerUpdate(row) {
  return perUpdate(row.bytesDown, row.shown);
}

/** @param {LatencyMeasurement[]} rows */
function latencyTable(rows) {
  return table(
    [
      "stack",
      "input",
      "under",
      "median ms",
      "95th ms",
      "min",
      "max",
      "to the X server, median/95th",
      "back, median/95th",
      "lost",
    ],
    rows.map((row) => [
      row.stack,
      row.input,
      row.under,
      number(row.all.median),
      number(row.all.p95),
      number(row.all.min),
      number(row.all.max),
      `${number(row.toTheScreen.median)}/${number(row.toTheScreen.p95)}`,
      `${number(row.back.median)}/${number(row.back.p95)}`,
      `${row.lost} of ${row.trials}`,
    ]),
  );
}

/** @param {LatencyMeasurement[]} rows */
function latencyPromises(rows) {
  return unique(rows.map((row) => row.under)).flatMap((under) => {
    /** @param {string} stack */
    const of = (stack) =>
      rows.find((row) => row.stack === stack && row.under === under && row.input === "key")?.all
        .median;
    const [ours, slow, fast] = [of(OURS), of("x11vnc"), of("x0vncserver")];
    return [
      ...(ours && slow
        ? [
            verdict(
              ours <= slow / 2,
              `key to pixel under ${under}: ${number(ours)} ms, at most half of x11vnc's ${number(slow)}`,
            ),
          ]
        : []),
      ...(ours && fast
        ? [
            verdict(
              ours <= fast,
              `key to pixel under ${under}: ${number(ours)} ms, no worse than x0vncserver's ${number(fast)}`,
              REASON_FOR_LATENCY[under],
            ),
          ]
        : []),
    ];
  });
}

/** @param {SceneMeasurement[]} rows @param {Map<string, number>} bare */
function costPromises(rows, bare) {
  return unique(rows.map((row) => row.scene)).flatMap((scene) => {
    /** @param {string} stack @param {(row: SceneMeasurement) => number | null} figure */
    const of = (stack, figure) => {
      const own = rows.filter((row) => row.stack === stack && row.scene === scene);
      return median(own.flatMap((row) => figure(row) ?? []));
    };
    /** @param {SceneMeasurement} row */
    const cpu = (row) => cpuPerUpdate(row, bare.get(scene) ?? 0);
    const bytes = [of(OURS, bytesPerUpdate), of("x11vnc", bytesPerUpdate)];
    const work = [of(OURS, cpu), of("x11vnc", cpu)];
    if (bytes.includes(null) || work.includes(null)) return [];
    const [ourBytes, theirBytes] = /** @type {number[]} */ (bytes);
    const [ourWork, theirWork] = /** @type {number[]} */ (work);
    return [
      verdict(
        ourBytes < theirBytes,
        `${scene}: ${number(ourBytes / 1e3)} kB per update, x11vnc ${number(theirBytes / 1e3)}`,
        REASON_FOR_BYTES[scene],
      ),
      verdict(
        ourWork < theirWork,
        `${scene}: agent + X ${number(ourWork)} CPU ms per update, x11vnc ${number(theirWork)}`,
        REASON_FOR_CPU[scene],
      ),
    ];
  });
}

/** Why a scene may need more bytes, for those who read the result. @type {Record<string, string>} */
const REASON_FOR_BYTES = { switch: PHOTOGRAPHIC };

/** The same for processor time. @type {Record<string, string>} */
const REASON_FOR_CPU = { video: MOTION, switch: ALL_OF_IT };

/** The same for latency. @type {Record<string, string>} */
const REASON_FOR_LATENCY = { video: BESIDE_FILM };

const HEAD = ["what", "figure", "ours", "best other", "ratio", "aim", ""];

/** What the X server spends on each scene when nobody watches. @param {SceneMeasurement[]} scenes */
function bareCpuOf(scenes) {
  const bare = scenes.filter((one) => one.stack === "nobody");
  return new Map(bare.map((one) => [one.scene, one.cpuSeconds.x]));
}

/**
 * Ours against the best of the others, cell by cell, as the rows of the report's last table.
 *
 * @param {Measurement[]} measurements
 */
export function besideTheBest(measurements) {
  const latencies = measurements.filter((one) => one.kind === "latency");
  const all = measurements.filter((one) => one.kind === "scene");
  const bare = bareCpuOf(all);
  const scenes = all.filter((one) => one.stack !== "nobody");
  /** @param {SceneMeasurement} row */
  const shown = (row) => row.shown / row.seconds;
  /** @param {SceneMeasurement} row */
  const ssim = (row) => row.motionSsim;
  /** @param {SceneMeasurement} row */
  const cpu = (row) => cpuPerUpdate(row, bare.get(row.scene) ?? 0);
  const ofScenes = unique(scenes.map((row) => row.scene)).flatMap((scene) => {
    const rows = scenes.filter((row) => row.scene === scene);
    return [
      compared(scene, "age of what is shown, ms", 0.5, rows, {
        value: (row) => row.ageMs.median,
        shown,
      }),
      compared(scene, "bytes per update", 0.6, rows, { value: bytesPerUpdate, ssim }),
      compared(scene, "agent + X CPU ms per update", 0.7, rows, { value: cpu, shown }),
    ];
  });
  const cells = unique(latencies.map((row) => `${row.input} under ${row.under}`));
  const ofInputs = cells.map((cell) => {
    const rows = latencies.filter((row) => `${row.input} under ${row.under}` === cell);
    return compared(cell, "input to pixel, ms", 0.5, rows, { value: (row) => row.all.median });
  });
  return [...ofInputs, ...ofScenes].flatMap((one) => (one ? [one] : []));
}

/**
 * One row, of the medians over the rounds.
 *
 * @template {{ stack: string }} Row
 * @param {string} cell @param {string} figure @param {number} aim @param {Row[]} rows
 * @param {{ value: (row: Row) => number | null, shown?: (row: Row) => number | null, ssim?: (row: Row) => number | null }} of
 * @returns {string[] | null}
 */
function compared(cell, figure, aim, rows, of) {
  const contenders = unique(rows.map((row) => row.stack)).map((stack) => {
    /** @param {((row: Row) => number | null) | undefined} value */
    const middle = (value) =>
      median(rows.filter((row) => row.stack === stack).flatMap((row) => value?.(row) ?? []));
    return { stack, value: middle(of.value), shown: middle(of.shown), ssim: middle(of.ssim) };
  });
  const reason = REASON_BESIDE_THE_BEST[`${cell}: ${figure}`];
  const found = compare(contenders, aim, { figure: number, reason });
  return found && [cell, figure, ...found.cells];
}

/** Why a cell misses its aim beside the best of the others. @type {Record<string, string>} */
const REASON_BESIDE_THE_BEST = {
  "click under idle: input to pixel, ms": LOOKING,
  "key under idle: input to pixel, ms": LOOKING,
  "key under video: input to pixel, ms": BESIDE_FILM,
  "idle: bytes per update": FEW_BYTES,
  "typing: bytes per update": FEW_BYTES,
  "video: age of what is shown, ms": PACKED_FIRST,
  "video: agent + X CPU ms per update": MOTION,
  "scroll: agent + X CPU ms per update": SEARCHING,
  "switch: age of what is shown, ms": PACKED_WHOLE,
  "switch: bytes per update": PHOTOGRAPHIC,
  "switch: agent + X CPU ms per update": ALL_OF_IT,
};

/** @param {boolean} holds @param {string} sentence @param {string} [reason] for when it does not */
function verdict(holds, sentence, reason) {
  const because = reason ? ` (${reason})` : "";
  return holds ? `- holds: ${sentence}` : `- **does not hold**: ${sentence}${because}`;
}

/** @param {(number | null)[]} values @param {number} [digits] */
function cell(values, digits = 1) {
  const known = values.filter((value) => value !== null);
  const middle = median(known);
  if (middle === null) return "-";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const range =
    high - low < 10 ** -digits / 2 ? "" : ` (${low.toFixed(digits)}-${high.toFixed(digits)})`;
  return middle.toFixed(digits) + range;
}

/** @param {(number | null)[]} shares */
function percent(shares) {
  const words = cell(
    shares.map((share) => share && share * 100),
    2,
  );
  return words === "-" ? words : `${words} %`;
}

/** @param {number | null} value */
function thousandth(value) {
  return value === null ? null : value / 1e3;
}

/** @param {number | null | undefined} value */
function number(value) {
  return value === null || value === undefined ? "-" : value.toFixed(1);
}
