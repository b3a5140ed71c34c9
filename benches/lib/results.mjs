// @ts-check

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

/**
 * Keeps a run: NAME.json with every measurement and NAME.md with the tables, which are
 * printed too. NAME is the date and the benchmark unless the caller has one.
 *
 * @param {string} benchmark
 * @param {string} out
 * @param {{ machine: { date: string }, measurements: unknown[] }} run
 * @param {string} text
 */
export function save(benchmark, out, run, text) {
  const name = path.resolve(out || path.join(RESULTS, `${run.machine.date}-${benchmark}`));
  mkdirSync(path.dirname(name), { recursive: true });
  writeFileSync(`${name}.json`, `${JSON.stringify(run, null, 1)}\n`);
  writeFileSync(`${name}.md`, `${text.trimEnd()}\n`);
  console.log(`${text}\n`);
  console.error(`written: ${path.relative(process.cwd(), name)}.json and .md`);
}
