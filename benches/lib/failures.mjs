// @ts-check
// One remote desktop that fails does not take the others' figures with it: what it could not
// do stands in the report.

import { tree } from "./accounting.mjs";
import { table } from "./tables.mjs";

/** A report names the failure; the programs' logs are for finding the cause. */
const REASON_LETTERS = 300;

/** @typedef {{ kind: 'failure', stack: string, during: string, reason: string }} Failure */

/**
 * Runs a part of the work to its end or to its failure, which is kept.
 *
 * @param {Failure[]} failures
 * @param {string} stack
 * @param {string} during
 * @param {() => Promise<void>} work
 */
export async function attempt(failures, stack, during, work) {
  try {
    await work();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const reason = text.replace(/\s+/g, " ").replaceAll("|", "\\|").slice(0, REASON_LETTERS);
    failures.push({ kind: "failure", stack, during, reason });
    console.error(`${stack}: ${during}: failed: ${text}`);
  }
}

/**
 * Whether every program of a stack is there still: nothing shown for nothing spent is no figure.
 *
 * @param {Pick<import('../stacks/index.mjs').Stack, 'agent' | 'relay'>} stack
 */
export function running({ agent, relay }) {
  const pids = [...agent, ...relay];
  const there = tree(pids);
  return pids.every((pid) => there.includes(pid));
}

/** @param {Parameters<typeof running>[0]} stack */
export function assertRunning(stack) {
  if (!running(stack)) throw new Error("one of its programs has ended");
}

/** The report's section; nothing when nothing failed. @param {Failure[]} failures */
export function failuresSection(failures) {
  if (failures.length === 0) return [];
  return [
    "## what failed",
    "Figures of these are missing; what else was measured counts.",
    table(
      ["stack", "during", "reason"],
      failures.map(({ stack, during, reason }) => [stack, during, reason]),
    ),
  ];
}
