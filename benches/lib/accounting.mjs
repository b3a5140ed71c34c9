// @ts-check
// What processes cost, read from /proc, and what sockets carried, read from the kernel's
// TCP counters. Every figure is about a set of processes with everything they started.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";

const TICKS_PER_SECOND = 100;

/** @typedef {{ parent: number, session: number, cpuSeconds: number, residentBytes: number }} ProcessFacts */

/** @returns {Map<number, ProcessFacts>} */
function allProcesses() {
  const found = new Map();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readOrNothing(`/proc/${entry}/stat`);
    if (!stat) continue;
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    // utime, stime, and those of children that ended: proc(5), counted from the state field.
    const ticks = fields[11] + fields[12] + fields[13] + fields[14];
    found.set(Number(entry), {
      parent: fields[1],
      session: fields[3],
      cpuSeconds: ticks / TICKS_PER_SECOND,
      residentBytes: fields[21] * 4096,
    });
  }
  return found;
}

/**
 * With everything that they started. What lets go of its parent is still in the session that
 * {@link import('../../scripts/lib/processes.mjs').Program} made for the program.
 *
 * @param {number[]} roots
 */
export function tree(roots, processes = allProcesses()) {
  const members = new Set(roots.filter((pid) => processes.has(pid)));
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, { parent, session }] of processes) {
      if ((members.has(parent) || members.has(session)) && !members.has(pid)) {
        members.add(pid);
        grown = true;
      }
    }
  }
  return [...members];
}

/** @param {number[]} roots */
export function cpuSeconds(roots) {
  const processes = allProcesses();
  return sum(tree(roots, processes).map((pid) => processes.get(pid)?.cpuSeconds ?? 0));
}

/** To the nanosecond, for programs that do next to nothing. @param {number[]} roots */
export function exactCpuSeconds(roots) {
  const nanoseconds = tree(roots).flatMap((pid) =>
    folder(`/proc/${pid}/task`).map((task) =>
      Number(readOrNothing(`/proc/${pid}/task/${task}/schedstat`)?.split(" ")[0] ?? 0),
    ),
  );
  return sum(nanoseconds) / 1e9;
}

/** Resident set size. @param {number[]} roots */
export function residentBytes(roots) {
  const processes = allProcesses();
  return sum(tree(roots, processes).map((pid) => processes.get(pid)?.residentBytes ?? 0));
}

/** Resident memory with shared pages divided among those that share them. @param {number[]} roots */
export function proportionalBytes(roots) {
  return sum(
    tree(roots).map((pid) => {
      const kilobytes = /^Pss:\s+(\d+)/m.exec(
        readOrNothing(`/proc/${pid}/smaps_rollup`) ?? "",
      )?.[1];
      return Number(kilobytes ?? 0) * 1024;
    }),
  );
}

/** CPU seconds that the whole machine has spent on anything. */
export function machineCpuSeconds() {
  const [user, nice, system, , , interrupt, softInterrupt, stolen] = readFileSync(
    "/proc/stat",
    "utf8",
  )
    .split("\n", 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupt + softInterrupt + stolen) / TICKS_PER_SECOND;
}

/** The browser that this process started, by its process id. */
export function browserPids() {
  return tree([process.pid]).filter((pid) => {
    const command = readOrNothing(`/proc/${pid}/cmdline`) ?? "";
    return command.includes("--remote-debugging-pipe") && !command.includes("--type=");
  });
}

/**
 * @typedef {Map<string, { received: number, sent: number }>} Wire
 *
 * Bytes that open connections to a port of this machine carried, seen from the end that
 * connected: TCP payload, with TLS and WebSocket framing inside.
 *
 * @param {number} port
 * @param {string} owner part of the name of the program that connected
 * @returns {Wire}
 */
export function wire(port, owner) {
  const wire = new Map();
  const lines = execFileSync("ss", ["-tniHpO", "state", "established", `dport = :${port}`], {
    encoding: "utf8",
  });
  for (const line of lines.split("\n")) {
    if (!line.includes(`"${owner}`)) continue;
    const local = line.trim().split(/\s+/)[2];
    wire.set(local, {
      received: Number(/bytes_received:(\d+)/.exec(line)?.[1] ?? 0),
      sent: Number(/bytes_sent:(\d+)/.exec(line)?.[1] ?? 0),
    });
  }
  return wire;
}

/** @param {Wire} before @param {Wire} after */
export function wireBetween(before, after) {
  let received = 0;
  let sent = 0;
  for (const [connection, now] of after) {
    received += now.received - (before.get(connection)?.received ?? 0);
    sent += now.sent - (before.get(connection)?.sent ?? 0);
  }
  return { received, sent };
}

/**
 * Lets these processes go before everything else on the machine, as far as we may: other
 * work then disturbs the figures less. The kernel weighs sessions first, then tasks.
 *
 * @param {number[]} roots
 * @param {number} niceness
 */
export function favour(roots, niceness) {
  for (const pid of tree(roots)) {
    try {
      writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
      for (const task of folder(`/proc/${pid}/task`)) os.setPriority(Number(task), niceness);
    } catch {
      // Not allowed, or ended meanwhile: then it runs as it is.
    }
  }
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** @param {string} path */
function readOrNothing(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** @param {string} path @returns {string[]} */
function folder(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/**
 * What one process holds. `dirtyBytes` is memory that is its own: what it wrote, shared pages
 * divided among those that share them.
 *
 * @param {number} pid
 */
export function memory(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (/** @type {string} */ name) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1];
    return Number(kilobytes ?? Number.NaN) * 1024;
  };
  return {
    dirtyBytes: field("Pss_Dirty"),
    proportionalBytes: field("Pss"),
    residentBytes: field("Rss"),
    threads: folder(`/proc/${pid}/task`).length,
    files: folder(`/proc/${pid}/fd`).length,
  };
}
