// @ts-check

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

/**
 * Keeps a run: NAME.json with every measurement and NAME.md with the tables, which are
 * printed too; NAME.svg is a chart, where there is one. NAME is the date and the benchmark unless the caller has one.
 *
 * @param {string} benchmark
 * @param {string} out
 * @param {{ machine: { date: string }, measurements: unknown[], failures?: unknown[] }} run
 * @param {string} text
 * @param {{ svg?: string }} [pictures] shown below the tables
 */
export function save(benchmark, out, run, text, { svg } = {}) {
  const name = path.resolve(out || path.join(RESULTS, `${run.machine.date}-${benchmark}`));
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(`${name}.json`, `${JSON.stringify(run, null, 1)}\n`);
  const chart = svg ? `\n\n![chart](${path.basename(name)}.svg)` : "";
  if (svg) writeFileSync(`${name}.svg`, svg);
  writeFileSync(`${name}.md`, `${text.trimEnd()}${chart}\n`);
  console.log(`${text}\n`);
  console.error(`written: ${path.relative(process.cwd(), name)}.json and .md`);
}
