import {
  ApiClient,
  type AuditEntry,
  type Guest,
  type Machine,
  type Session,
  type SupportCode,
  type User,
} from "@guruconnect/api";

type Handler = (request: {
  body: Record<string, unknown>;
  query: URLSearchParams;
  path: string;
}) => unknown;

export const ADMIN: User = {
  id: "u1",
  username: "ada",
  display_name: "Ada Winter",
  role: "admin",
};
export const TECHNICIAN: User = { ...ADMIN, id: "u2", role: "technician" };

/** A refusal in the server's form: throw it from a handler. */
export class Refused {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfter: string | null;
  constructor(status: number, code: string, message: string, retryAfter: string | null = null) {
    this.status = status;
    this.code = code;
    this.message = message;
    this.retryAfter = retryAfter;
  }
}

/** A server that the test makes up: `"GET /api/machines": () => …`. A `*` stands for any id. */
export class FakeServer {
  readonly calls: string[] = [];
  readonly bodies: Record<string, unknown>[] = [];
  reachable = true;
  #handlers: Record<string, Handler>;
  #events: ReadableStreamDefaultController<Uint8Array>[] = [];

  constructor(handlers: Record<string, Handler> = {}, user: User | null = ADMIN) {
    this.#handlers = {
      "GET /api/setup": () => ({ claimed: true }),
      "POST /api/auth/refresh": () => {
        if (!user) throw new Refused(401, "signed_out", "You are signed out.");
        return { access_token: "token", expires_in: 900, user };
      },
      "GET /api/machines": () => ({ items: [] }),
      "GET /api/support-codes": () => ({ items: [], missing_programs: [] }),
      "GET /api/notices": () => ({
        targets: [],
        email_when: "always",
        support_hours: null,
        support_time_zone: null,
        items: [],
      }),
      "GET /api/sessions": () => ({ items: [], next_cursor: null }),
      ...handlers,
    };
  }

  client(): ApiClient {
    return new ApiClient({ fetch: (input, init) => this.#answer(String(input), init ?? {}) });
  }

  on(route: string, handler: Handler): void {
    this.#handlers[route] = handler;
  }

  /** Sends a live event to the page. */
  publish(event: string, data: unknown): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.#events) stream.enqueue(new TextEncoder().encode(text));
  }

  /** Breaks the event streams, as a stopped server does. */
  drop(): void {
    for (const stream of this.#events) stream.close();
    this.#events = [];
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    if (!this.reachable) throw new TypeError("failed to fetch");
    const { pathname, searchParams } = new URL(url, "http://server");
    const route = `${init.method ?? "GET"} ${pathname}`;
    this.calls.push(route);
    if (route === "GET /api/events") return this.#openEvents();
    const body = typeof init.body === "string" ? JSON.parse(init.body) : {};
    this.bodies.push(body);
    try {
      const handler = this.#find(route);
      if (!handler) throw new Refused(404, "not_found", "There is nothing here.");
      const answer = await handler({ body, query: searchParams, path: pathname });
      if (answer === undefined) return new Response(null, { status: 204 });
      return new Response(JSON.stringify(answer), { status: 200 });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, code, message, retryAfter } = error;
      return new Response(JSON.stringify({ error: { code, message } }), {
        status,
        headers: retryAfter ? { "retry-after": retryAfter } : {},
      });
    }
  }

  #find(route: string): Handler | undefined {
    const exact = this.#handlers[route];
    if (exact) return exact;
    const [, pattern] =
      Object.entries(this.#handlers).find(([known]) => {
        const expression = known.replaceAll("*", "[^/]+");
        return new RegExp(`^${expression}$`).test(route);
      }) ?? [];
    return pattern;
  }

  #openEvents(): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#events.push(controller);
      },
    });
    return new Response(body);
  }
}

export function machine(change: Partial<Machine> = {}): Machine {
  return {
    id: "m1",
    name: "Reception",
    host_name: "DESKTOP-1",
    os_family: "windows",
    os_name: "Windows 11 Pro",
    os_version: "23H2",
    architecture: "x86_64",
    agent_version: "0.1.0",
    current_user: "m.keller",
    address: "10.0.0.5",
    online: true,
    last_seen_at: new Date().toISOString(),
    created_at: "2026-01-02T03:04:05Z",
    agent_public_key: btoa("k".repeat(32)),
    sessions: [],
    power_actions: [],
    ...change,
  };
}

export function supportCode(change: Partial<SupportCode> = {}): SupportCode {
  return {
    id: "c1",
    code: "847291",
    link: "https://help.example/support/847291?k=token",
    state: "open",
    customer: "Contoso",
    requested: false,
    created_by: "u1",
    creator: "Ada Winter",
    assigned_to: "u1",
    created_at: new Date().toISOString(),
    expires_at: null,
    downloaded_at: null,
    guest: null,
    technician_id: null,
    technician: "",
    session_id: null,
    ended_at: null,
    end_reason: null,
    last_guest_line: null,
    ...change,
  };
}

export function guest(change: Partial<Guest> = {}): Guest {
  return {
    machine_id: "g1",
    host_name: "HOME-PC",
    user: "grace",
    os_name: "Windows 11 Home",
    address: "198.51.100.7",
    online: true,
    claimed_at: new Date().toISOString(),
    is_managed: false,
    ...change,
  };
}

export function session(change: Partial<Session> = {}): Session {
  return {
    id: "s1",
    machine_id: "m1",
    machine_name: "Reception",
    user_id: "u1",
    technician: "Bo Lindqvist",
    created_at: "2026-01-02T03:04:05Z",
    ended_at: "2026-01-02T03:24:05Z",
    duration_seconds: 1_200,
    bytes_transferred: 48_000_000,
    end_reason: "ended_by_technician",
    ...change,
  };
}

export function auditEntry(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: 1,
    at: "2026-01-02T03:04:05Z",
    action: "session.started",
    actor: { kind: "user", id: "u1", name: "Ada Winter" },
    machine: { id: "m1", name: "Reception" },
    session_id: "s1",
    address: "192.0.2.7",
    detail: { quality: "auto" },
    ...change,
  };
}
