// @ts-check
// What the checks share: reading the workspace, and saying what was found.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * @typedef {{ name: string, kind: string | null, target: string | null }} Dependency
 * @typedef {{ id: string, name: string, version: string, license: string | null, license_file: string | null,
 *   repository: string | null, source: string | null, manifest_path: string, dependencies: Dependency[] }} Package
 * @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node
 * @typedef {{ packages: Package[], workspace_members: string[], resolve: { nodes: Node[] } }} Metadata
 */

/** @param {string} [platform] only what is built for it @returns {Metadata} */
export function cargoMetadata(platform) {
  const filter = platform ? ["--filter-platform", platform] : [];
  const text = execFileSync("cargo", ["metadata", "--format-version", "1", "--locked", ...filter], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  return JSON.parse(text);
}

/**
 * Everything that is linked into a package, itself included: build and test helpers are not.
 *
 * @param {Metadata} metadata
 * @param {string} name
 * @returns {Package[]}
 */
export function linkedInto(metadata, name) {
  const packages = new Map(metadata.packages.map((one) => [one.id, one]));
  const nodes = new Map(metadata.resolve.nodes.map((one) => [one.id, one]));
  const start = metadata.packages.find(
    (one) => one.name === name && metadata.workspace_members.includes(one.id),
  );
  if (!start) throw new Error(`there is no package ${name} in the workspace`);
  const found = new Set([start.id]);
  for (const id of found) {
    for (const { pkg, dep_kinds } of nodes.get(id)?.deps ?? []) {
      if (dep_kinds.some(({ kind }) => kind === null)) found.add(pkg);
    }
  }
  return [...found].map((id) => /** @type {Package} */ (packages.get(id)));
}

/**
 * Runs named checks; each answers with the problems that it found. Ends the process.
 *
 * @param {Record<string, () => string[]>} checks
 */
export function conclude(checks) {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const problems = check();
    console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${name}`);
    for (const problem of problems) console.log(`       ${problem}`);
    if (problems.length > 0) failed++;
  }
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}
