// A stand-in for the server while working on the pages: everything in memory, nothing checked
// closely. Answers the API on 127.0.0.1:18301; with MOCK=empty there are no machines, with
// MOCK=unclaimed nobody has claimed it, with MOCK=slow every answer takes two seconds.

import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 18301);
const mode = process.env.MOCK ?? "";
const user = { id: "u1", username: "ada", display_name: "Ada Winter", role: "admin" };
const state = { claimed: mode !== "unclaimed", refresh: new Set(), failing: false };

const ago = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString();
const key = (text) => createHash("sha256").update(text).digest("base64");
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

function machine(name, os, options = {}) {
  const systems = {
    windows11: ["windows", "Windows 11 Pro", "23H2"],
    windows10: ["windows", "Windows 10 Enterprise", "22H2"],
    server: ["windows", "Windows Server 2022", "21H2"],
    debian: ["linux", "Debian GNU/Linux", "12"],
    ubuntu: ["linux", "Ubuntu", "24.04 LTS"],
    mac: ["macos", "macOS", "15.1"],
  };
  const [os_family, os_name, os_version] = systems[os];
  return {
    id: randomUUID(),
    name,
    host_name: options.host ?? name,
    os_family,
    os_name,
    os_version,
    architecture: "x86_64",
    agent_version: "0.1.0",
    current_user: options.user ?? null,
    address: options.address ?? "10.20.0.15",
    online: options.seen === undefined,
    last_seen_at: ago(options.seen ?? 5),
    created_at: ago(options.created ?? 40 * DAY),
    agent_public_key: key(name),
    sessions: options.sessions ?? [],
  };
}

const running = (technician, seconds) => ({
  session_id: randomUUID(),
  technician,
  started_at: ago(seconds),
});

const machines = [];
if (mode !== "empty") {
  machines.push(
    machine("Reception", "windows11", {
      host: "DESKTOP-7F3KQ2A",
      user: "m.keller",
      address: "10.20.1.21",
      sessions: [running("Ada Winter", 12 * MINUTE)],
    }),
    machine("Accounting 1", "windows11", {
      host: "ACC-01",
      user: "s.moreau",
      address: "10.20.1.34",
    }),
    machine("Accounting 2", "windows10", { host: "ACC-02", seen: 3 * HOUR, user: "j.ortiz" }),
    machine("dc01", "server", { address: "10.20.0.2" }),
    machine("backup", "debian", { address: "10.20.0.9", user: "root" }),
    machine("Workshop bench", "ubuntu", {
      host: "ws-bench-3",
      user: "tomasz",
      address: "10.20.4.7",
    }),
    machine("Warehouse scanner gateway with a rather long name", "windows10", {
      host: "WH-GATEWAY-EXTRA-LONG-HOSTNAME-0001",
      seen: 9 * DAY,
      address: "2001:db8:85a3::8a2e:370:7334",
    }),
    machine("Front office iMac", "mac", { host: "imac-front", seen: 26 * HOUR, user: "lena" }),
    machine("pos-3", "windows10", { seen: 14 * MINUTE, user: "kiosk", address: "10.20.7.33" }),
  );
  for (let n = 1; n <= 14; n += 1) {
    machines.push(
      machine(`lab-${String(n).padStart(2, "0")}`, n % 3 ? "windows11" : "debian", {
        user: n % 2 ? "student" : undefined,
        address: `10.20.9.${100 + n}`,
        ...(n % 4 === 0 ? { seen: n * DAY } : {}),
      }),
    );
  }
}

const sessions = machines.slice(0, 6).flatMap((each) =>
  Array.from({ length: each.name === "Reception" ? 31 : 3 }, (_, n) => ({
    id: randomUUID(),
    machine_id: each.id,
    machine_name: each.name,
    user_id: "u1",
    technician: n % 3 ? "Ada Winter" : "Bo Lindqvist",
    created_at: ago((n + 1) * 29 * HOUR),
    ended_at: n === 0 && each.name === "Reception" ? null : ago((n + 1) * 29 * HOUR - 1_500),
    duration_seconds: 40 + n * 613,
    bytes_transferred: 1_800_000 + n * 23_456_789,
    end_reason:
      n === 0 && each.name === "Reception" ? null : n % 4 ? "ended_by_technician" : "abandoned",
  })),
);

const actor = { kind: "user", id: "u1", name: "Ada Winter" };
const audit = [];
function entry(at, action, options = {}) {
  audit.push({
    id: String(audit.length + 1),
    at: ago(at),
    action,
    actor: options.actor ?? actor,
    machine: options.machine ? { id: options.machine.id, name: options.machine.name } : null,
    session_id: options.session ?? null,
    address: options.address ?? "192.168.7.4",
    detail: options.detail ?? {},
  });
}
for (let n = 0; n < 30 && machines.length > 0; n += 1) {
  const on = machines[n % 6];
  entry(n * 5_000 + 60, "session.ended", {
    machine: on,
    session: randomUUID(),
    detail: {
      reason: "ended_by_technician",
      duration_seconds: 1_320,
      bytes_transferred: 48_211_003,
    },
  });
  entry(n * 5_000 + 700, "session.quality_changed", {
    machine: on,
    session: randomUUID(),
    detail: { quality: "low" },
  });
  entry(n * 5_000 + 1_380, "session.started", {
    machine: on,
    session: randomUUID(),
    detail: { quality: "auto" },
  });
  if (n % 5 === 0) {
    entry(n * 5_000 + 2_000, "login.failed", {
      actor: { kind: "system", id: null, name: "bob" },
      address: "203.0.113.77",
      detail: { username: "bob", reason: "wrong_credentials" },
    });
  }
  if (n % 7 === 0) {
    entry(n * 5_000 + 2_500, "machine.enrolled", {
      machine: on,
      actor: { kind: "agent", id: on.id, name: on.name },
      detail: { token: "Head office roll-out" },
    });
  }
}
entry(40 * DAY, "server.claimed");

const tokens = [
  {
    id: randomUUID(),
    name: "Head office roll-out",
    created_at: ago(12 * DAY),
    expires_at: ago(-18 * DAY),
    max_uses: 100,
    uses: 23,
  },
  {
    id: randomUUID(),
    name: "Workshop",
    created_at: ago(30 * DAY),
    expires_at: null,
    max_uses: null,
    uses: 4,
  },
];
let logins = [
  {
    id: "l1",
    created_at: ago(HOUR),
    last_used_at: ago(4),
    address: "192.168.7.4",
    user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 Edg/131.0",
    current: true,
  },
  {
    id: "l2",
    created_at: ago(20 * HOUR),
    last_used_at: ago(3 * HOUR),
    address: "198.51.100.12",
    user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1",
    current: false,
  },
];

const streams = new Set();
function publish(event, data) {
  for (const stream of streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
// One machine comes and goes, so that live presence can be seen.
setInterval(() => {
  const each = machines.at(-1);
  if (!each) return;
  each.online = !each.online;
  each.last_seen_at = ago(0);
  publish("machine", each);
}, 7_000).unref();
setInterval(() => {
  for (const stream of streams) stream.write(": keep-alive\n\n");
}, 15_000).unref();

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
const notFound = () => new Refusal(404, "not_found", "There is nothing here.");

function signIn(response) {
  const token = randomUUID();
  state.refresh.add(token);
  response.setHeader(
    "set-cookie",
    `gc_refresh=${token}; HttpOnly; SameSite=Strict; Path=/api/auth`,
  );
  return { access_token: "mock", expires_in: 900, user };
}

function page(items, params, size = 50) {
  const limit = Number(params.get("limit") ?? size);
  const start = Number(params.get("cursor") ?? 0);
  const next = start + limit < items.length ? String(start + limit) : null;
  return { items: items.slice(start, start + limit), next_cursor: next };
}

function findMachine(id) {
  const found = machines.find((each) => each.id === id);
  if (!found) throw new Refusal(404, "machine_not_found", "This machine does not exist.");
  return found;
}

const routes = [
  ["GET", "/api/setup", () => ({ claimed: state.claimed })],
  [
    "POST",
    "/api/setup/claim",
    ({ body, response }) => {
      if (state.claimed)
        throw new Refusal(409, "already_claimed", "Somebody has claimed this server.");
      if (body.secret !== "secret") throw new Refusal(403, "wrong_secret", "The secret is wrong.");
      if (body.password.length < 12) {
        throw new Refusal(422, "weak_password", "Use at least 12 characters.");
      }
      state.claimed = true;
      return signIn(response);
    },
  ],
  [
    "POST",
    "/api/auth/login",
    ({ body, response }) => {
      if (body.password !== "demo") {
        throw new Refusal(401, "wrong_credentials", "The user name or the password is wrong.");
      }
      return signIn(response);
    },
  ],
  [
    "POST",
    "/api/auth/refresh",
    ({ request, response }) => {
      const token = /gc_refresh=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
      if (!token || !state.refresh.has(token)) {
        throw new Refusal(401, "signed_out", "You are signed out.");
      }
      return signIn(response);
    },
  ],
  ["POST", "/api/auth/logout", () => state.refresh.clear()],
  ["GET", "/api/auth/me", () => ({ user })],
  [
    "POST",
    "/api/auth/password",
    ({ body }) => {
      if (body.current !== "demo") {
        throw new Refusal(401, "wrong_credentials", "The current password is wrong.");
      }
    },
  ],
  ["GET", "/api/auth/logins", () => ({ items: logins })],
  [
    "DELETE",
    "/api/auth/logins/:id",
    ({ params: [id] }) => {
      logins = logins.filter((login) => login.id !== id);
    },
  ],
  ["GET", "/api/machines", () => ({ items: machines })],
  ["GET", "/api/machines/:id", ({ params: [id] }) => findMachine(id)],
  [
    "PATCH",
    "/api/machines/:id",
    ({ params: [id], body }) => {
      const found = findMachine(id);
      found.name = body.name;
      publish("machine", found);
      return found;
    },
  ],
  [
    "DELETE",
    "/api/machines/:id",
    ({ params: [id] }) => {
      machines.splice(machines.indexOf(findMachine(id)), 1);
      publish("machine_removed", { id });
    },
  ],
  ["POST", "/api/machines/:id/revoke-key", ({ params: [id] }) => void findMachine(id)],
  ["GET", "/api/enrolment-tokens", () => ({ items: tokens })],
  [
    "POST",
    "/api/enrolment-tokens",
    ({ body }) => {
      const made = {
        id: randomUUID(),
        name: body.name,
        created_at: ago(0),
        expires_at: body.expires_in_seconds ? ago(-body.expires_in_seconds) : null,
        max_uses: body.max_uses,
        uses: 0,
      };
      tokens.unshift(made);
      return { ...made, token: "enr_8Fj2mQv0XcT5nLr9WkYbZp3sHdA7uGe1" };
    },
  ],
  [
    "DELETE",
    "/api/enrolment-tokens/:id",
    ({ params: [id] }) => {
      tokens.splice(
        tokens.findIndex((token) => token.id === id),
        1,
      );
    },
  ],
  [
    "POST",
    "/api/sessions/start",
    ({ body }) => {
      const found = findMachine(body.machine_id);
      if (!found.online) throw new Refusal(409, "machine_offline", "The machine is offline.");
      return {
        session_id: randomUUID(),
        participant_id: randomUUID(),
        websocket_url: `ws://127.0.0.1:${port}/ws/viewer?ticket=mock`,
        agent_public_key: found.agent_public_key,
        signed_grant: "",
        machine: { id: found.id, name: found.name },
        rights: ["view", "control"],
      };
    },
  ],
  [
    "POST",
    "/api/sessions/:id/rejoin",
    () => {
      throw new Refusal(409, "machine_offline", "The machine is offline.");
    },
  ],
  ["POST", "/api/sessions/:id/end", () => {}],
  ["POST", "/api/sessions/:id/stats", () => {}],
  [
    "GET",
    "/api/sessions",
    ({ query }) =>
      page(
        sessions.filter((each) => each.machine_id === query.get("machine_id")),
        query,
      ),
  ],
  [
    "GET",
    "/api/audit",
    ({ query }) => {
      const matches = (name, value) => !query.get(name) || query.get(name) === value;
      return page(
        audit.filter(
          (each) =>
            matches("action", each.action) &&
            matches("machine_id", each.machine?.id) &&
            matches("user_id", each.actor.id),
        ),
        query,
      );
    },
  ],
  ["GET", "/api/audit/export", () => audit],
];

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${port}`);
  try {
    if (mode === "slow") await new Promise((resolve) => setTimeout(resolve, 2_000));
    if (url.pathname === "/api/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": hello\n\n");
      streams.add(response);
      request.on("close", () => streams.delete(response));
      return;
    }
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : {};
    for (const [method, pattern, handle] of routes) {
      const match = new RegExp(`^${pattern.replaceAll(/:\w+/g, "([^/]+)")}$`).exec(url.pathname);
      if (method !== request.method || !match) continue;
      const answer = handle({
        request,
        response,
        body,
        params: match.slice(1),
        query: url.searchParams,
      });
      response.statusCode = answer === undefined ? 204 : 200;
      response.setHeader("content-type", "application/json");
      response.end(answer === undefined ? undefined : JSON.stringify(answer));
      return;
    }
    throw notFound();
  } catch (error) {
    response.statusCode = error.status ?? 500;
    response.setHeader("content-type", "application/json");
    const code = error.code ?? "internal";
    response.end(JSON.stringify({ error: { code, message: error.message } }));
  }
});
server.listen(port, "127.0.0.1", () => console.log(`mock API on http://127.0.0.1:${port}`));
