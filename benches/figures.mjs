#!/usr/bin/env node
// @ts-check
// Writes docs/figures.md from the newest results:
//
//   node figures.mjs > ../docs/figures.md

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { perUpdate } from "./lib/compare.mjs";
import { lineName, linkPromises } from "./lib/links-report.mjs";
import { describeMachine } from "./lib/machine.mjs";
import { besideTheBest } from "./lib/report.mjs";
import { median } from "./lib/statistics.mjs";
import { table, unique } from "./lib/tables.mjs";

const RESULTS = fileURLToPath(new URL("results", import.meta.url));

/** What the others are called. @type {Record<string, string>} */
const NAMES = {
  guruconnect: "GuruConnect",
  meshcentral: "MeshCentral",
  xvnc: "Xvnc",
};

const SCENES = {
  idle: "a caret blinks",
  typing: "text is typed",
  scroll: "text with photographs scrolls",
  drag: "a window is dragged",
  video: "a film plays",
  switch: "whole windows change",
};

/**
 * The newest run of a benchmark.
 *
 * @param {string} benchmark
 * @returns {{ name: string, run: any }} what is in the file is what that benchmark keeps
 */
function newest(benchmark) {
  const names = readdirSync(RESULTS).filter((name) => /^[0-9-]+-/.test(name));
  const own = names.filter((name) => name.replace(/^[0-9-]+-/, "") === `${benchmark}.json`);
  const name = own.sort().at(-1);
  if (!name) throw new Error(`there is no result of ${benchmark}: benches/run-all ${benchmark}`);
  return {
    name: name.replace(/\.json$/, ""),
    run: JSON.parse(readFileSync(`${RESULTS}/${name}`, "utf8")),
  };
}

/** @param {string} name @param {string} [what] */
const whole = (name, what = "The whole result") => `[${what}](../benches/results/${name}.md)`;

/** @param {string} stack */
const named = (stack) => NAMES[stack] ?? stack;

/** @param {string} scene */
function words(scene) {
  const [name, rate] = scene.split("@");
  const words = SCENES[/** @type {keyof typeof SCENES} */ (name)] ?? name;
  return rate ? `${words}, ${rate} frames a second` : words;
}

/**
 * A row for each kind of cell, a column for each program.
 *
 * @template {{ stack: string }} Row
 * @param {string[]} head
 * @param {Row[]} rows
 * @param {(row: Row) => string[]} key what the cells of a row have in common
 * @param {(own: Row[]) => string} cell of one program
 */
function grid(head, rows, key, cell) {
  const programs = unique(rows.map(({ stack }) => stack));
  /** @param {Row} row */
  const id = (row) => key(row).join("|");
  return table(
    [...head, ...programs.map(named)],
    unique(rows.map(id)).map((one) => {
      const alike = rows.filter((row) => id(row) === one);
      const cells = programs.map((stack) => cell(alike.filter((row) => row.stack === stack)));
      return [...key(alike[0]), ...cells];
    }),
  );
}

/** The median. @param {(number | null | undefined)[]} values @param {number} [digits] */
function middle(values, digits = 0) {
  const value = median(values.filter((one) => typeof one === "number"));
  return value === null ? "-" : value.toFixed(digits);
}

/**
 * What misses its aim, together where the reason is the same.
 *
 * @param {{ what: string, ours: string, other: string, aim: string, held: string }[]} rows
 */
function missed(rows) {
  const marked = rows.filter(({ held }) => held.startsWith("**missed**"));
  const reasons = unique(marked.map(({ held }) => held));
  const bullets = reasons.map((reason) => {
    const cells = marked.filter(({ held }) => held === reason);
    return [
      `- ${sentence(reason.replace(/^\*\*missed\*\*:? ?/, "") || "no reason is known")}.`,
      ...cells.map(
        ({ what, ours, other, aim }) =>
          `  - ${what}: ${ours}, best other ${other}, aim ${aim.endsWith("ms") ? aim : `${aim} of it`}`,
      ),
    ].join("\n");
  });
  return bullets.length > 0 ? ["What misses its aim, and why:", bullets.join("\n")] : [];
}

/** @param {string} text */
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

function lines() {
  const { name, run } = newest("links");
  /** @type {import('./lib/links-report.mjs').LinkMeasurement[]} */
  const rows = run.measurements;
  const head = ["line", "while"];
  /** @param {typeof rows[number]} row */
  const key = (row) => [lineName(row.line), words(row.scene)];
  return [
    "## Over lines of different speed",
    `A proxy between browser and server holds rate and round trip. ${describeMachine(run.machine)}`,
    `![From a key to its picture while a film plays](../benches/results/${name}.svg)`,
    "**From a key to its picture**, milliseconds (median). Half a round trip there and half a round trip back are the line's own.",
    grid(head, rows, key, (own) => middle(own.map((row) => row.keyMs.median))),
    "**Updates shown a second**; the scenes draw 10 (typing) and 30 of them, where nothing else is said.",
    grid(head, rows, key, (own) => middle(own.map((row) => row.shown / row.seconds))),
    "**Kilobytes for each of them**, with what makes the picture sharp afterwards.",
    grid(head, rows, key, (own) =>
      middle(
        own.map((row) => perUpdate(row.bytes / 1e3, row.shown)),
        1,
      ),
    ),
    "**When the picture was exact**, bit for bit, milliseconds after everything came to rest (looked at for 4 s).",
    grid(head, rows, key, ([row]) => (row ? (row.equalAfterMs?.toFixed(0) ?? "never") : "-")),
    ...missed(
      linkPromises(rows).map(([line, scene, what, ours, other, , aim, held]) => ({
        what: `${line}, ${words(scene)}, ${what}`,
        ...{ ours, other, aim, held },
      })),
    ),
    `${whole(name)}: also the age of what is shown, processor time, and how exact the picture is while it moves.`,
  ];
}

function oneMachine() {
  const { name, run } = newest("desktop");
  /** @type {import('./lib/report.mjs').Measurement[]} */
  const all = run.measurements;
  const scenes = all.filter((one) => one.kind === "scene").filter((one) => one.stack !== "nobody");
  const inputs = all.filter((one) => one.kind === "latency");
  return [
    "## On one machine, without a line between",
    describeMachine(run.machine),
    "**From a key or a click to its picture**, milliseconds (median).",
    grid(
      ["input", "while"],
      inputs,
      (row) => [row.input, words(row.under)],
      (own) => middle(own.map((row) => row.all.median)),
    ),
    "**Age of what is shown**, milliseconds (median), and updates shown a second.",
    grid(
      ["while"],
      scenes,
      (row) => [words(row.scene)],
      (own) =>
        `${middle(own.map((row) => row.ageMs.median))}, ${middle(own.map((row) => row.shown / row.seconds))}/s`,
    ),
    ...missed(
      besideTheBest(all).map(([cell, figure, ours, other, , aim, held]) => ({
        what: `${cell}, ${figure}`,
        ...{ ours, other, aim, held },
      })),
    ),
    `${whole(name)}.`,
  ];
}

function several() {
  const { name, run } = newest("watchers");
  /** @type {{ agent: string, scene: string, watchers: number, [figure: string]: any }[]} */
  const cells = run.measurements;
  const own = cells.filter(({ agent }) => agent === "this");
  const rows = unique(own.map(({ scene }) => scene)).map((scene) => {
    /** @param {number} watchers @param {string} figure @param {number} digits */
    const of = (watchers, figure, digits) =>
      middle(
        own
          .filter((one) => one.scene === scene && one.watchers === watchers)
          .map((one) => one[figure]),
        digits,
      );
    return [
      words(scene),
      of(1, "first_shown_per_s", 1),
      of(3, "first_shown_per_s", 1),
      of(3, "late_shown_per_s", 1),
      of(3, "slow_updates_per_s", 1),
      of(3, "late_whole_picture_ms", 0),
    ];
  });
  return [
    "## Several technicians at one machine",
    "Three of them, one behind 64 kbit/s, another one coming while the scene plays; updates shown a second.",
    table(
      [
        "while",
        "alone",
        "with two more",
        "who came late",
        "behind 64 kbit/s",
        "the late one's whole picture after, ms",
      ],
      rows,
    ),
    `${whole(name)}.`,
  ];
}

function atRest() {
  const { name, run } = newest("idle");
  const windows = newest("idle-windows");
  /** @type {{ stack: string, agentCpuPercent: number, agentResidentBytes: number }[]} */
  const rows = run.measurements;
  const [{ programs, rest }] = windows.run.measurements;
  /** @param {number} bytes */
  const megabytes = (bytes) => (bytes / 1e6).toFixed(2);
  return [
    "## An agent that nobody uses",
    table(
      ["agent", "resident memory, MB", "% of a core"],
      rows.map((row) => [
        named(row.stack),
        (row.agentResidentBytes / 1e6).toFixed(1),
        row.agentCpuPercent.toFixed(3),
      ]),
    ),
    `The Windows program has ${programs.map((/** @type {any} */ one) => `${megabytes(one.bytes)} MB (${one.architecture})`).join(" and ")}; ` +
      `its service in Wine holds ${megabytes(rest.dirtyBytes)} MB of its own and takes ${rest.cpuPercent.toFixed(3)} % of a core.`,
    `${whole(name, "The result on Linux")}, ${whole(windows.name, "on Windows")}.`,
  ];
}

const page = [
  "# Figures",
  "What happens when GuruConnect and others show the same desktop's work, each watched in the same headless " +
    "Chromium, one after the other on the same machine, with the same probe on its canvas. Display and canvas have " +
    "1920x1080. How it is done, and what would make it unfair: [benches/README.md](../benches/README.md). The figures of " +
    "one section compare with each other, and with nothing else: the machine also runs the browser and the relay.",
  ...lines(),
  ...oneMachine(),
  ...several(),
  ...atRest(),
  "This page is written by `scripts/generate` from the newest results in `benches/results`.",
];
process.stdout.write(`${page.join("\n\n")}\n`);
