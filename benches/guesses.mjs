// @ts-check
// Somebody guesses support codes as fast as the line takes them, while customers use the
// support page: a thousand guesses a second for a minute, from a thousand addresses in as many
// networks, against a real server. Then: does an answer tell a live code from any other by its
// status, its text or its time? Loopback only.
//
//   node guesses.mjs [--seconds 60] [--rate 1000] [--samples 60]

import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Server } from "../scripts/lib/guruconnect.mjs";
import { Cleanup, freePort, sleep } from "../scripts/lib/processes.mjs";
import { describeMachine, machineFacts } from "./lib/machine.mjs";
import { save } from "./lib/results.mjs";
import { chance, median, quantile, rounded } from "./lib/statistics.mjs";
import { table } from "./lib/tables.mjs";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    rate: { type: "string", default: "1000" },
    samples: { type: "string", default: "60" },
    out: { type: "string", default: "" },
  },
});
const SECONDS = Number(options.seconds);
const RATE = Number(options.rate);
const SAMPLES = Number(options.samples);

const CLAIM_SECRET = "the one-time secret of this benchmark";
const ADMIN = {
  username: "tina",
  display_name: "Tina Technician",
  password: "correct horse battery 42",
};
/** Live codes meanwhile, as docs/security.md reckons. */
const LIVE_CODES = 50;
const ATTACKERS = 1_000;
/** Milliseconds between two customers. */
const CUSTOMER_EVERY_MS = 500;
/** @type {Record<string, string>} */
const MEANING = {
  200: "200: a live code",
  404: "404: not active",
  428: "428: solve a piece of work first",
  429: "429: wait",
};
/** Different in every question; the seed makes runs alike. */
const random = chance(20_261_121);

/**
 * @typedef {{ status: number, text: string, headers: import('node:http').IncomingHttpHeaders, ms: number }} Answer
 */

const connections = new http.Agent({ keepAlive: true, maxSockets: 64 });

/**
 * @param {Server} server
 * @param {string} method
 * @param {string} target
 * @param {{ from: string, form?: Record<string, string>, agent?: http.Agent }} request
 * @returns {Promise<Answer>}
 */
function ask(server, method, target, { from, form, agent = connections }) {
  const body = form ? new URLSearchParams(form).toString() : "";
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port: server.port,
        method,
        path: target,
        agent,
        headers: {
          "x-forwarded-for": from,
          ...(form ? { "content-type": "application/x-www-form-urlencoded" } : {}),
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          text += part;
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text,
            headers: response.headers,
            ms: performance.now() - began,
          }),
        );
      },
    );
    request.on("error", (error) => {
      // The server closes connections that rest; this one was just about to.
      if (request.reusedSocket) resolve(ask(server, method, target, { from, form, agent }));
      else reject(error);
    });
    request.end(body);
  });
}

/** An address of a network of its own. @param {number} number */
const network = (number) => `10.${(number >> 8) & 255}.${number & 255}.7`;
/** Another one, which no attacker has. @param {number} number */
const customer = (number) =>
  `172.${16 + ((number >> 16) & 15)}.${(number >> 8) & 255}.${number & 255}`;

/** One in a network of its own, as many as one likes. @param {number} number */
const stranger = (number) => `${11 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.9`;

/** What a browser does with the piece of work on the page. @param {string} challenge @param {number} bits */
function solve(challenge, bits) {
  for (let answer = 0; ; answer++) {
    const digest = hash("sha256", challenge + answer, "buffer");
    if (Math.clz32(digest.readUInt32BE(0)) >= bits) return String(answer);
  }
}

/** @param {string} page */
function workOn(page) {
  const found = /data-challenge="([^"]+)" data-difficulty="(\d+)"/.exec(page);
  return found ? { challenge: found[1], bits: Number(found[2]) } : undefined;
}

/**
 * A customer comes: by a link, or by typing the code and solving what is asked.
 *
 * @param {Server} server
 * @param {{ code: string, link: string }} code
 * @param {string} from
 * @param {'link' | 'typed'} way
 */
async function comeAsCustomer(server, code, from, way) {
  const began = performance.now();
  let solvingMs = 0;
  if (way === "link") {
    const page = await ask(server, "GET", code.link.slice(code.link.indexOf("/support/")), {
      from,
    });
    return { ok: page.status === 200, ms: performance.now() - began, solvingMs };
  }
  let form = { code: code.code, challenge: "", answer: "" };
  for (let tries = 0; tries < 3; tries++) {
    const page = await ask(server, "POST", "/support", { from, form });
    if (page.status === 303)
      return { ok: true, ms: performance.now() - began - solvingMs, solvingMs };
    const work = workOn(page.text);
    if (!work) break;
    const start = performance.now();
    form = { ...form, challenge: work.challenge, answer: solve(work.challenge, work.bits) };
    solvingMs += performance.now() - start;
  }
  return { ok: false, ms: performance.now() - began - solvingMs, solvingMs };
}

/**
 * Customers come one after the other until it is over.
 *
 * @param {Server} server
 * @param {{ code: string, link: string }[]} codes
 * @param {number} seconds
 * @param {number} first
 */
async function customers(server, codes, seconds, first) {
  const until = performance.now() + seconds * 1_000;
  const came = { link: /** @type {number[]} */ ([]), typed: /** @type {number[]} */ ([]) };
  const solving = [];
  let failed = 0;
  for (let number = first; performance.now() < until; number++) {
    const next = performance.now() + CUSTOMER_EVERY_MS;
    const way = number % 2 === 0 ? "link" : "typed";
    const visit = await comeAsCustomer(server, codes[number % codes.length], customer(number), way);
    if (visit.ok) came[way].push(visit.ms);
    else failed++;
    if (visit.solvingMs > 0) solving.push(visit.solvingMs);
    await sleep(Math.max(0, next - performance.now()));
  }
  return { came, solving, failed };
}

/**
 * Guesses as fast as asked for; never waits for an answer before the next guess.
 *
 * @param {Server} server
 * @param {Set<string>} live
 */
async function guess(server, live) {
  /** @type {Record<string, number>} */
  const answers = {};
  const began = performance.now();
  const until = began + SECONDS * 1_000;
  const pending = new Set();
  let sent = 0;
  while (performance.now() < until) {
    const due = Math.floor(((performance.now() - began) / 1_000) * RATE);
    for (; sent < due; sent++) {
      let code = String(Math.floor(random() * 1_000_000)).padStart(6, "0");
      // What a guesser hits by luck is reckoned in docs/security.md; here it would use up a code.
      if (live.has(code)) code = "000000";
      const target = `/api/support/info?code=${code}`;
      const asked = ask(server, "GET", target, { from: network(sent % ATTACKERS) })
        .then(({ status }) => {
          answers[status] = (answers[status] ?? 0) + 1;
        })
        .catch(() => {
          answers.error = (answers.error ?? 0) + 1;
        })
        .finally(() => pending.delete(asked));
      pending.add(asked);
    }
    await sleep(2);
  }
  await Promise.all(pending);
  return { sent, seconds: (performance.now() - began) / 1_000, answers };
}

/**
 * How likely two lists of times differ as much by chance (Mann-Whitney, two-sided).
 *
 * @param {number[]} one
 * @param {number[]} other
 */
function likelihood(one, other) {
  const all = [
    ...one.map((ms) => ({ ms, mine: true })),
    ...other.map((ms) => ({ ms, mine: false })),
  ];
  all.sort((a, b) => a.ms - b.ms);
  const ranks = all.reduce((sum, { mine }, index) => sum + (mine ? index + 1 : 0), 0);
  const [n, m] = [one.length, other.length];
  const u = ranks - (n * (n + 1)) / 2;
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * (1 - normal(Math.abs(z)));
}

/** The share of a normal distribution below `z` (Abramowitz and Stegun 7.1.26). @param {number} z */
function normal(z) {
  const t = 1 / (1 + 0.327_591_1 * (z / Math.SQRT2));
  const poly =
    ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t +
      0.254_829_592) *
    t;
  return 1 - 0.5 * poly * Math.exp(-(z * z) / 2);
}

/**
 * Asks about codes of each kind in random order; what tells them apart?
 *
 * @param {string} what
 * @param {Record<string, () => Promise<Answer>>} kinds the first one is what the others are compared with
 * @param {number} samples
 */
async function compare(what, kinds, samples) {
  const names = Object.keys(kinds);
  /** @type {Record<string, Answer[]>} */
  const answers = Object.fromEntries(names.map((name) => [name, []]));
  const order = names.flatMap((name) => Array(samples).fill(name));
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  for (const name of order) answers[name].push(await kinds[name]());

  /** Without what differs in any two answers. @param {Answer} answer */
  const shape = ({ status, text, headers }) =>
    JSON.stringify([
      status,
      // Pieces of work are random, and waits count down.
      text
        .replace(/"challenge":"[^"]*"/, '"challenge":"…"')
        .replace(/\d+ seconds/, "… seconds")
        .replace(/"difficulty":\d+/, '"difficulty":…'),
      Object.keys(headers).sort(),
      headers["retry-after"] === undefined,
    ]);
  const shapes = new Set(names.flatMap((name) => answers[name].map(shape)));
  const times = names.map((name) => answers[name].map(({ ms }) => ms));
  return names.map((name, index) => ({
    what,
    kind: name,
    status: answers[name][0].status,
    sameText: shapes.size === 1,
    medianMs: median(times[index]),
    p95Ms: quantile(times[index], 0.95),
    likelihood: index === 0 ? null : likelihood(times[0], times[index]),
  }));
}

const machine = machineFacts();
const cleanup = new Cleanup();
let failure = false;
try {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gc-guesses-"));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const server = cleanup.stopping(
    new Server({
      folder,
      port: await freePort(22_500),
      // Guesses come through a proxy that we declare: so one machine has a thousand addresses.
      env: { CLAIM_SECRET, TRUSTED_PROXIES: "127.0.0.1", METRICS_TOKEN: "the token of this run" },
    }),
  );
  await server.start();
  await server.api.claim(CLAIM_SECRET, ADMIN);
  /** @param {object} [more] @returns {Promise<{ id: string, code: string, link: string }>} */
  const newCode = (more = {}) => server.api.call("POST", "/api/support-codes", more);
  const codes = [];
  for (let made = 0; made < LIVE_CODES; made++) codes.push(await newCode());

  console.error("customers alone …");
  const alone = await customers(server, codes, Math.min(10, SECONDS), 0);
  console.error(`${RATE} guesses a second for ${SECONDS} s …`);
  const live = new Set(codes.map(({ code }) => code));
  const [attack, besides] = await Promise.all([
    guess(server, live),
    customers(server, codes, SECONDS, 1_000),
  ]);
  const metrics = await (
    await fetch(`${server.url}/metrics`, {
      headers: { authorization: "Bearer the token of this run" },
    })
  ).text();
  const counted = metrics
    .split("\n")
    .filter((line) => /^guruconnect_(support_|limiter_refusals)/.test(line));

  // A fresh server, for answers without an attack: what is left of the allowance would differ.
  console.error("what do answers tell …");
  await server.stop();
  await server.start();
  await server.api.signIn(ADMIN.username, ADMIN.password);
  const fresh = await newCode();
  const [cancelled, expired, used] = [
    await newCode(),
    await newCode({ expires_in_seconds: 1 }),
    await newCode(),
  ];
  await server.api.call("POST", `/api/support-codes/${cancelled.id}/cancel`);
  await server.api.call("POST", "/api/support/claim", {
    code: used.code,
    agent_public_key: Buffer.alloc(32, 7).toString("base64"),
    facts: {
      host_name: "PC",
      os_family: "windows",
      os_name: "Windows",
      os_version: "10",
      architecture: "x86_64",
      current_user: "",
      boot_time_unix: 0,
    },
  });
  // The one that runs out is noticed by the server's own round, once a second.
  await sleep(3_000);
  const taken = new Set([fresh, cancelled, expired, used, ...codes].map(({ code }) => code));
  const unknown = () => {
    for (;;) {
      const code = String(Math.floor(random() * 1_000_000)).padStart(6, "0");
      if (!taken.has(code)) return code;
    }
  };
  const one = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let from = 0;
  /** A question of an address that never asked, with the work done where it is asked for. @param {string} query */
  const answered = async (query) => {
    const address = stranger(from++);
    const target = `/api/support/info?${query}`;
    const first = await ask(server, "GET", target, { from: address, agent: one });
    if (first.status !== 428) return first;
    const { challenge, difficulty } = JSON.parse(first.text);
    const answer = solve(challenge, difficulty);
    const worked = `&challenge=${encodeURIComponent(challenge)}&answer=${answer}`;
    return ask(server, "GET", target + worked, { from: address, agent: one });
  };
  const wrong = `${fresh.link.split("?k=")[1].slice(0, -1)}_`;
  const judged = await compare(
    "code_not_active",
    {
      unknown: () => answered(`code=${unknown()}`),
      used: () => answered(`code=${used.code}`),
      expired: () => answered(`code=${expired.code}`),
      cancelled: () => answered(`code=${cancelled.code}`),
      "live, wrong link": () => answered(`code=${fresh.code}&link_token=${wrong}`),
    },
    SAMPLES,
  );
  /** @param {string} code @param {string} address */
  const plain = (code, address) =>
    ask(server, "GET", `/api/support/info?code=${code}`, { from: address, agent: one });
  const asked = await compare(
    "work_required",
    {
      unknown: () => plain(unknown(), stranger(from++)),
      live: () => plain(fresh.code, stranger(from++)),
      used: () => plain(used.code, stranger(from++)),
    },
    SAMPLES * 6,
  );
  const slowed = "203.0.113.9";
  for (let tries = 0; tries < 6; tries++) {
    const { challenge, difficulty } = JSON.parse((await plain(unknown(), slowed)).text || "{}");
    if (!challenge) continue;
    const worked = `&challenge=${encodeURIComponent(challenge)}&answer=${solve(challenge, difficulty)}`;
    await plain(unknown() + worked, slowed);
  }
  const waited = await compare(
    "too_many_codes",
    {
      unknown: () => plain(unknown(), slowed),
      live: () => plain(fresh.code, slowed),
      used: () => plain(used.code, slowed),
    },
    SAMPLES * 6,
  );
  const comparisons = [...judged, ...asked, ...waited];

  const visits = (/** @type {number[]} */ times) =>
    [
      times.length,
      rounded(median(times), 1),
      rounded(quantile(times, 0.95), 1),
      rounded(times.length > 0 ? Math.max(...times) : null, 1),
    ].map(String);
  const tests = comparisons.filter(({ likelihood }) => likelihood !== null);
  // One of so many comparisons is below the bound by chance once in a hundred runs.
  const bound = 0.01 / tests.length;
  const promises = [
    [
      besides.failed === 0 && alone.failed === 0,
      `every customer got to their page during the attack (${besides.came.link.length + besides.came.typed.length} of ${besides.came.link.length + besides.came.typed.length + besides.failed})`,
    ],
    [
      attack.sent / attack.seconds > RATE * 0.95,
      `${RATE} guesses a second were sent (${rounded(attack.sent / attack.seconds, 0)})`,
    ],
    [
      counted.some((line) => /work_asked_total [1-9]/.test(line)),
      "the limiter's counts are in /metrics",
    ],
    [
      comparisons.every(({ sameText }) => sameText),
      "status, headers and text are the same for every code",
    ],
    [
      tests.every(({ likelihood }) => Number(likelihood) > bound),
      `times differ no more than by chance (smallest p = ${rounded(Math.min(...tests.map((test) => Number(test.likelihood))), 4)}, bound ${rounded(bound, 4)})`,
    ],
  ];
  failure = promises.some(([holds]) => !holds);
  const text = [
    `# Guessing support codes, ${machine.date}`,
    describeMachine(machine),
    `${LIVE_CODES} live codes of six digits; ${attack.sent} guesses in ${rounded(attack.seconds, 1)} s from ${ATTACKERS} addresses in as many networks, which solve no work; a customer every ${CUSTOMER_EVERY_MS / 1_000} s, by link and by typing in turn. Attackers, customers and server share the machine.`,
    promises
      .map(([holds, what]) => `- ${holds ? "holds" : "**does not hold**"}: ${what}`)
      .join("\n"),
    "## What the guesser heard",
    table(
      ["answer", "times"],
      Object.entries(attack.answers).map(([status, count]) => [
        MEANING[status] ?? status,
        String(count),
      ]),
    ),
    "## Customers meanwhile",
    table(
      ["way", "customers", "median ms", "p95 ms", "max ms"],
      [
        ["link, nobody guesses", ...visits(alone.came.link)],
        ["link, under attack", ...visits(besides.came.link)],
        ["typed, nobody guesses", ...visits(alone.came.typed)],
        ["typed, under attack", ...visits(besides.came.typed)],
      ],
    ),
    `Times of the server's answers, without solving; who typed a code solved a piece of work ${besides.solving.length} times, ${rounded(median(besides.solving), 0)} ms each here.`,
    "## The limiter's counts in /metrics after the attack",
    `\`\`\`text\n${counted.join("\n")}\n\`\`\``,
    "## What an answer tells",
    "Each kind of code asked in random order by addresses that never asked before (for `too_many_codes`, by one that asked too often); p is how likely times differ as much from those of an unknown code by chance (Mann-Whitney).",
    table(
      ["answer", "code", "status", "median ms", "p95 ms", "p"],
      comparisons.map((one) => [
        one.what,
        one.kind,
        String(one.status),
        String(rounded(one.medianMs, 2)),
        String(rounded(one.p95Ms, 2)),
        one.likelihood === null ? "" : String(rounded(one.likelihood, 3)),
      ]),
    ),
  ].join("\n\n");
  save(
    "guesses",
    options.out,
    { machine, measurements: [{ attack, alone, besides, counted, comparisons }] },
    text,
  );
} finally {
  connections.destroy();
  await cleanup.run();
}
process.exit(failure ? 1 : 0);
