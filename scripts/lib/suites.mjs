// @ts-check
// Runs the suites one after the other, keeps what each says in .cache/test, shows the end
// of it when one fails, and closes with a table, how each failure begins, and one line of totals.

import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./guruconnect.mjs";

/**
 * @typedef {{ passed: number, failed: number }} Count
 * @typedef {{ name: string, what: string, command: string, count?: (text: string) => Count | undefined, needs?: string }} Suite
 */

const hasNextest = spawnSync("cargo", ["nextest", "--version"]).status === 0;

/** Everything after it needs this one: without a build there is nothing to test. */
const BUILD = "build";

/** @type {Suite[]} */
const suites = [
  { name: "format", what: "Rust formatting", command: "cargo fmt --all --check" },
  {
    name: "structure",
    what: "rules of the repository",
    command: "node tests/checks/structure.mjs",
    count: closingLine,
  },
  {
    name: "licences",
    what: "licences of what we build on",
    command: "scripts/licences",
    count: closingLine,
  },
  {
    name: "lints",
    what: "clippy, without a warning",
    command: "cargo clippy --workspace --all-targets --locked -- -D warnings",
  },
  {
    name: BUILD,
    what: "server, agent, viewer core and dashboard",
    command: "make dashboard && cargo build --workspace --locked",
  },
  {
    name: "rust",
    what: "Rust tests of every crate",
    command: hasNextest
      ? "cargo nextest run --workspace --locked --no-fail-fast"
      : "cargo test --workspace --locked --no-fail-fast",
    count: hasNextest ? nextest : cargoTest,
  },
  {
    name: "generated",
    what: "derived files are current",
    command: "scripts/generate --check",
    needs: BUILD,
  },
  {
    name: "web-lints",
    what: "biome and tsc: dashboard, end-to-end tests, scripts and benches",
    command:
      "scripts/npm-ci dashboard && scripts/npm-ci tests/e2e && scripts/npm-ci benches && " +
      "(cd dashboard && ../scripts/npm run --silent check) && (cd tests/e2e && ../../scripts/npm run --silent check) && " +
      "(cd benches && ../scripts/npm run --silent check) && scripts/lint-javascript",
  },
  {
    name: "web",
    what: "dashboard and viewer",
    command: "cd dashboard && ../scripts/npm test --silent",
    count: vitest,
  },
  {
    name: "benches",
    what: "how reports judge what was measured",
    command: "node --test --test-reporter=tap benches/lib/*.test.mjs",
    count: tap,
  },
  {
    name: "e2e",
    what: "browser, server, agent and an X11 desktop",
    command:
      "scripts/npm-ci tests/e2e && cd tests/e2e && ../../scripts/npm test --silent -- --project=x11",
    count: playwright,
    needs: BUILD,
  },
  {
    name: "windows",
    what: "the agent for Windows, its imports and lints",
    command: "scripts/build-windows x86_64 && scripts/build-windows clippy",
  },
  {
    name: "wine",
    what: "the Windows platform in Wine",
    command: "scripts/test-on-wine",
    count: closingLine,
    needs: "windows",
  },
  {
    name: "e2e-windows",
    what: "browser, server and the Windows agent in Wine",
    command:
      "scripts/npm-ci tests/e2e && cd tests/e2e && ../../scripts/npm test --silent -- --project=windows",
    count: playwright,
    needs: "windows",
  },
];

/** What `make check` asks for in one word. @type {Record<string, string[]>} */
const groups = { web: ["web-lints", "web"], e2e: [BUILD, "e2e"] };

/** @param {string} text */
function nextest(text) {
  const line = /tests? run: (\d+) passed(?: \([^)]*\))?(?:, (\d+) failed)?/.exec(text);
  return line ? { passed: Number(line[1]), failed: Number(line[2] ?? 0) } : undefined;
}

/** @param {string} text */
function cargoTest(text) {
  const lines = [...text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
  return lines.length > 0 ? { passed: total(lines, 1), failed: total(lines, 2) } : undefined;
}

/** @param {string} text */
function vitest(text) {
  const line = /^\s*Tests\s+(?:(\d+) failed \| )?(?:(\d+) passed)?/m.exec(plain(text));
  return line ? { passed: Number(line[2] ?? 0), failed: Number(line[1] ?? 0) } : undefined;
}

/** @param {string} text */
function playwright(text) {
  const passed = /^\s*(\d+) passed/m.exec(plain(text));
  const failed = /^\s*(\d+) failed/m.exec(plain(text));
  return passed || failed
    ? { passed: Number(passed?.[1] ?? 0), failed: Number(failed?.[1] ?? 0) }
    : undefined;
}

/** @param {string} text */
function tap(text) {
  const [passed, failed] = ["pass", "fail"].map((word) =>
    new RegExp(`^# ${word} (\\d+)$`, "m").exec(text),
  );
  return passed && failed ? { passed: Number(passed[1]), failed: Number(failed[1]) } : undefined;
}

/** @param {string} text */
function closingLine(text) {
  const line = /^(\d+) passed, (\d+) failed$/m.exec(text);
  return line ? { passed: Number(line[1]), failed: Number(line[2]) } : undefined;
}

/** @param {RegExpMatchArray[]} lines @param {number} group */
function total(lines, group) {
  return lines.reduce((sum, line) => sum + Number(line[group]), 0);
}

/** @param {string} text */
function plain(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

const logs = path.join(root, ".cache", "test");
mkdirSync(logs, { recursive: true });

/** @param {Suite} suite @returns {Promise<number>} exit code */
function run(suite) {
  const log = createWriteStream(path.join(logs, `${suite.name}.log`));
  const child = spawn("bash", ["-eu", "-o", "pipefail", "-c", suite.command], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CARGO_TERM_COLOR: "never", NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const live = process.stdout.isTTY;
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    log.write(chunk);
    const line = plain(chunk.toString()).trimEnd().split("\n").at(-1) ?? "";
    if (live)
      process.stdout.write(`\r\x1b[K    ${line.slice(0, (process.stdout.columns ?? 80) - 6)}`);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const forward = () => child.kill("SIGINT");
  process.once("SIGINT", forward);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      process.removeListener("SIGINT", forward);
      if (live) process.stdout.write("\r\x1b[K");
      log.end(() => resolve(signal === "SIGINT" ? 130 : (code ?? 1)));
    });
  });
}

/** How the first failure in a suite's log begins, for whoever is shown nothing but the last lines. */
const FAILURE_BEGINS = /^\s+1\) \[|^\s+FAIL(ED)?\b|^failures:|^error\b|^FAILED: /;
const FAILURE_LINES = 14;

/** @param {string} text */
function beginningOfFailure(text) {
  const lines = plain(text).trimEnd().split("\n");
  const first = lines.findIndex((line) => FAILURE_BEGINS.test(line));
  const told = first < 0 ? lines.slice(-FAILURE_LINES) : lines.slice(first);
  return told
    .filter((line) => line.trim())
    .slice(0, FAILURE_LINES)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** @param {number} ms */
function duration(ms) {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60
    ? `${seconds} s`
    : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

const asked = process.argv.slice(2);
if (asked.includes("--list")) {
  for (const { name, what } of suites) console.log(`${name.padEnd(12)} ${what}`);
  process.exit(0);
}
const names = asked.flatMap((name) => groups[name] ?? [name]);
const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `error: no suite is called ${unknown.join(" or ")}; scripts/test --list names them`,
  );
  process.exit(2);
}

const begin = performance.now();
/** @type {{ name: string, count: Count, ms: number, remark: string }[]} */
const results = [];
/** @type {Set<string>} */
const broken = new Set();
for (const suite of suites.filter(({ name }) => names.length === 0 || names.includes(name))) {
  if (suite.needs && broken.has(suite.needs)) {
    results.push({
      name: suite.name,
      count: { passed: 0, failed: 1 },
      ms: 0,
      remark: `not run: '${suite.needs}' failed`,
    });
    broken.add(suite.name);
    continue;
  }
  console.log(`==> ${suite.name}: ${suite.what}`);
  const start = performance.now();
  const code = await run(suite);
  const ms = performance.now() - start;
  if (code === 130) process.exit(130);
  const text = readFileSync(path.join(logs, `${suite.name}.log`), "utf8");
  const count = suite.count?.(text) ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  // A run that says it failed has failed, whatever it counted; one that ran nothing too.
  if (code !== 0 && count.failed === 0) count.failed = 1;
  if (count.passed + count.failed === 0) count.failed = 1;
  if (count.failed > 0) {
    broken.add(suite.name);
    console.log(text.trimEnd().split("\n").slice(-150).join("\n"));
  }
  console.log(`    ${count.passed} passed, ${count.failed} failed in ${duration(ms)}\n`);
  results.push({
    name: suite.name,
    count,
    ms,
    remark: count.failed > 0 ? `.cache/test/${suite.name}.log` : "",
  });
}

const passed = results.reduce((sum, { count }) => sum + count.passed, 0);
const failed = results.reduce((sum, { count }) => sum + count.failed, 0);
console.log("suite          passed  failed  time");
for (const { name, count, ms, remark } of results) {
  const row = [
    name.padEnd(13),
    String(count.passed).padStart(7),
    String(count.failed).padStart(7),
    ` ${duration(ms)}`.padEnd(14),
    remark,
  ];
  console.log(row.join(" ").trimEnd());
}
for (const { name, count, remark } of results) {
  if (count.failed === 0 || !remark.endsWith(".log")) continue;
  console.log(`\n${name} failed:`);
  console.log(beginningOfFailure(readFileSync(path.join(root, remark), "utf8")));
}
console.log(`all in ${duration(performance.now() - begin)}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
