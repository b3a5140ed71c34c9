// @ts-check
// What the Windows agent costs while nobody looks: the size of its programs, memory and CPU of
// its service in Wine, and whether memory grows while the server is away for long and the
// service asks for it many times a second.
//
//   node idle-windows.mjs [--seconds 60] [--settle 20] [--soak-minutes 30] [--wait-ms 50]

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { machineOnline, root, Server } from "../scripts/lib/guruconnect.mjs";
import { Cleanup, freePort, sleep } from "../scripts/lib/processes.mjs";
import { monotonicMs } from "../scripts/lib/workload.mjs";
import { exactCpuSeconds, memory } from "./lib/accounting.mjs";
import { describeMachine, machineFacts } from "./lib/machine.mjs";
import { save } from "./lib/results.mjs";
import { median } from "./lib/statistics.mjs";
import { table } from "./lib/tables.mjs";
import { startWine } from "./lib/wine.mjs";

/** What has to hold, and what we aim for. */
const MOST_PROGRAM_BYTES = 5e6;
const MOST_MEMORY_BYTES = 10e6;
const MOST_CPU_PERCENT = 0.1;
/** Memory goes up and down by a few pages; what leaks does so with every attempt. */
const MOST_GROWTH_BYTES = 256 * 1024;

const USER = {
  username: "bench",
  display_name: "Bench",
  password: "a password of the benchmark 7",
};
const CLAIM_SECRET = "the one-time secret of the benchmark";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    settle: { type: "string", default: "20" },
    "soak-minutes": { type: "string", default: "30" },
    "wait-ms": { type: "string", default: "50" },
    out: { type: "string", default: "" },
  },
});
const soakMinutes = Number(options["soak-minutes"]);

const machine = machineFacts();
const programs = ["x86_64", "i686"].map((architecture) => {
  const file = path.join(root, "target-windows/dist", architecture, "guruconnect-agent.exe");
  return { architecture, file, bytes: existsSync(file) ? statSync(file).size : null };
});
const agent = programs[0];
if (agent.bytes === null)
  throw new Error(`${agent.file} is not there: run scripts/build-windows first`);

const cleanup = new Cleanup();
try {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gc-idle-windows-"));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const server = cleanup.stopping(
    new Server({
      folder,
      port: await freePort(23_400),
      env: { CLAIM_SECRET },
    }),
  );
  await server.start();
  await server.api.claim(CLAIM_SECRET, USER);
  const windows = cleanup.stopping(await startWine({ folder }));
  const token = await server.api.enrolmentToken();
  const wanted = [
    "--server",
    server.url,
    "--token",
    token,
    "--longest-wait-ms",
    options["wait-ms"],
  ];
  windows.finish(agent.file, "install", ...wanted);
  windows.finish(agent.file, "start");
  await machineOnline(server.api, { withinMs: 60_000 });
  const service = windows.processes("service-run");
  if (service.length !== 1) throw new Error(`there are ${service.length} services, not one`);

  console.error("measuring the service at rest");
  await sleep(Number(options.settle) * 1_000);
  const before = { cpu: exactCpuSeconds(service), at: monotonicMs() };
  await sleep(Number(options.seconds) * 1_000);
  const rest = {
    ...memory(service[0]),
    cpuPercent:
      ((exactCpuSeconds(service) - before.cpu) / (monotonicMs() - before.at)) * 1_000 * 100,
  };

  console.error(`${soakMinutes} minutes without the server`);
  await server.kill();
  const logs = path.join(windows.driveC, "ProgramData/GuruConnect/Logs");
  /** Counted piece by piece: old logs are deleted. */
  let attempts = 0;
  let counted = 0;
  const countAttempts = () => {
    const now = readdirSync(logs).reduce(
      (sum, name) =>
        sum + readFileSync(path.join(logs, name), "utf8").split("trying again").length - 1,
      0,
    );
    attempts += Math.max(0, now - counted);
    counted = now;
  };
  countAttempts();
  attempts = 0;
  /** @type {(ReturnType<typeof memory> & { minute: number, attempts: number })[]} */
  const samples = [];
  const began = monotonicMs();
  const everyMs = Math.max(1_000, (soakMinutes * 60_000) / 120);
  while (monotonicMs() - began < soakMinutes * 60_000) {
    await sleep(everyMs);
    countAttempts();
    samples.push({ minute: (monotonicMs() - began) / 60_000, attempts, ...memory(service[0]) });
  }
  const cpuPercentAway =
    ((exactCpuSeconds(service) - before.cpu) / (monotonicMs() - before.at)) * 1_000 * 100;

  const part = (/** @type {number} */ from, /** @type {number} */ to) =>
    samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to));
  const typical = (
    /** @type {typeof samples} */ of,
    /** @type {"dirtyBytes" | "residentBytes" | "threads" | "files"} */ what,
  ) => median(of.map((sample) => sample[what])) ?? 0;
  // The first tenth is spent with everything that is made once.
  const [first, last] = [part(0.1, 0.3), part(0.8, 1)];
  const growth = typical(last, "dirtyBytes") - typical(first, "dirtyBytes");

  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(2);
  const promise = (/** @type {boolean} */ holds, /** @type {string} */ what) =>
    `- ${holds ? "holds" : "**does not hold**"}: ${what}`;
  const text = [
    `# The Windows agent at rest, ${machine.date}`,
    describeMachine(machine),
    table(
      ["program", "MB"],
      programs.map(({ architecture, bytes }) => [
        `guruconnect-agent.exe ${architecture}`,
        bytes === null ? "not built" : megabytes(bytes),
      ]),
    ),
    `The service in Wine, connected to its server, nobody looks; ${options.seconds} s:`,
    table(
      ["CPU % of a core", "own memory (Pss_Dirty) MB", "PSS MB", "RSS MB, Wine's own included"],
      [
        [
          rest.cpuPercent.toFixed(3),
          megabytes(rest.dirtyBytes),
          megabytes(rest.proportionalBytes),
          megabytes(rest.residentBytes),
        ],
      ],
    ),
    `Then ${soakMinutes} minutes without the server, asked for every ${options["wait-ms"]} ms at most: ` +
      `${attempts} attempts, ${cpuPercentAway.toFixed(2)} % of a core.`,
    table(
      ["when", "own memory MB", "RSS MB", "threads", "open files"],
      [
        ["10 % to 30 % of the time", first],
        ["the last fifth", last],
      ].map(([when, of]) => {
        const samplesOf = /** @type {typeof samples} */ (of);
        return [
          String(when),
          megabytes(typical(samplesOf, "dirtyBytes")),
          megabytes(typical(samplesOf, "residentBytes")),
          String(typical(samplesOf, "threads")),
          String(typical(samplesOf, "files")),
        ];
      }),
    ),
    [
      ...programs.map(({ architecture, bytes }) =>
        promise(
          bytes !== null && bytes < MOST_PROGRAM_BYTES,
          `the ${architecture} program is smaller than 5 MB`,
        ),
      ),
      promise(
        rest.dirtyBytes < MOST_MEMORY_BYTES,
        `the service's own memory is below 10 MB (${megabytes(rest.dirtyBytes)}; the aim is 5)`,
      ),
      promise(
        rest.cpuPercent < MOST_CPU_PERCENT,
        `and it uses less than ${MOST_CPU_PERCENT} % of a core (${rest.cpuPercent.toFixed(3)})`,
      ),
      promise(
        growth < MOST_GROWTH_BYTES &&
          typical(last, "threads") <= typical(first, "threads") &&
          typical(last, "files") <= typical(first, "files"),
        `nothing grows while the server is away (${(growth / 1024).toFixed(0)} KB)`,
      ),
    ].join("\n"),
  ].join("\n\n");
  save(
    "idle-windows",
    options.out,
    {
      machine,
      measurements: [
        {
          programs: programs.map(({ architecture, bytes }) => ({ architecture, bytes })),
          rest,
          soak: samples,
          attempts,
          cpuPercentAway,
        },
      ],
    },
    text,
  );
} finally {
  await cleanup.run();
}
process.exit(0);
