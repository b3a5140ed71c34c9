import { ApiError, readApiError, UnreachableError } from "./errors.ts";
import type {
  Account,
  AuditEntry,
  AuditFilter,
  ChatLine,
  EnrolmentToken,
  Login,
  Machine,
  NewEnrolmentToken,
  Notices,
  Page,
  PowerAction,
  Quality,
  Session,
  SessionTicket,
  SignedIn,
  SupportCode,
  SupportCodes,
  User,
} from "./types.ts";

export interface ApiClientOptions {
  /** Where the server is, without a trailing slash. Default: this page's own origin. */
  serverUrl?: string;
  /** A token given by a host application. With it there is no cookie and no refreshing. */
  accessToken?: string;
  /** For tests. */
  fetch?: typeof globalThis.fetch;
}

interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  /** Sent without a token and never retried: the calls that make or end a login. */
  anonymous?: boolean;
  keepalive?: boolean;
}

/**
 * The server's API. Keeps the access token in memory only; the refresh token is a cookie that
 * scripts cannot read. A call that finds its token expired refreshes once and is repeated once.
 */
export class ApiClient {
  readonly serverUrl: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #fixedToken: boolean;
  #accessToken: string | null;
  #refreshing: Promise<SignedIn> | null = null;

  /** Called when the server no longer accepts this login. */
  onSignedOut: (() => void) | null = null;

  constructor(options: ApiClientOptions = {}) {
    this.serverUrl = (options.serverUrl ?? "").replace(/\/+$/, "");
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#accessToken = options.accessToken ?? null;
    this.#fixedToken = options.accessToken !== undefined;
  }

  // Set-up and login

  isClaimed(): Promise<boolean> {
    return this.#json<{ claimed: boolean }>("/api/setup", { anonymous: true }).then(
      (setup) => setup.claimed,
    );
  }

  claim(body: {
    secret: string;
    username: string;
    display_name: string;
    password: string;
  }): Promise<User> {
    return this.#signInBy("/api/setup/claim", body);
  }

  signIn(username: string, password: string): Promise<User> {
    return this.#signInBy("/api/auth/login", { username, password });
  }

  /** Picks up the login of an earlier visit. `null`: there is none. */
  async resume(): Promise<User | null> {
    try {
      return (await this.#refresh()).user;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  }

  async signOut(): Promise<void> {
    try {
      await this.#send("/api/auth/logout", { method: "POST", anonymous: true });
    } finally {
      this.#accessToken = null;
    }
  }

  changePassword(current: string, next: string): Promise<void> {
    return this.#done("/api/auth/password", { method: "POST", body: { current, new: next } });
  }

  logins(signal?: AbortSignal): Promise<Login[]> {
    return this.#items("/api/auth/logins", signal);
  }

  revokeLogin(id: string): Promise<void> {
    return this.#done(`/api/auth/logins/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  // Machines

  machines(signal?: AbortSignal): Promise<Machine[]> {
    return this.#items("/api/machines", signal);
  }

  machine(id: string, signal?: AbortSignal): Promise<Machine> {
    return this.#json(machinePath(id), signal ? { signal } : {});
  }

  renameMachine(id: string, name: string): Promise<Machine> {
    return this.#json(machinePath(id), { method: "PATCH", body: { name } });
  }

  removeMachine(id: string): Promise<void> {
    return this.#done(machinePath(id), { method: "DELETE" });
  }

  revokeMachineKey(id: string): Promise<void> {
    return this.#done(`${machinePath(id)}/revoke-key`, { method: "POST" });
  }

  /** Answered when the machine has begun to do it. */
  orderPower(
    id: string,
    action: PowerAction,
    options: { confirmation?: string; return_after_minutes?: number } = {},
  ): Promise<void> {
    return this.#done(`${machinePath(id)}/power`, { method: "POST", body: { action, ...options } });
  }

  enrolmentTokens(signal?: AbortSignal): Promise<EnrolmentToken[]> {
    return this.#items("/api/enrolment-tokens", signal);
  }

  createEnrolmentToken(body: {
    name: string;
    max_uses: number | null;
    expires_in_seconds: number | null;
  }): Promise<NewEnrolmentToken> {
    return this.#json("/api/enrolment-tokens", { method: "POST", body });
  }

  revokeEnrolmentToken(id: string): Promise<void> {
    return this.#done(`/api/enrolment-tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  // Sessions

  startSession(machineId: string, quality: Quality): Promise<SessionTicket> {
    return this.#json("/api/sessions/start", {
      method: "POST",
      body: { machine_id: machineId, quality },
    });
  }

  rejoinSession(id: string): Promise<SessionTicket> {
    return this.#json(`${sessionPath(id)}/rejoin`, { method: "POST" });
  }

  /** Also reaches the server when it is the page's last call. */
  endSession(id: string): Promise<void> {
    return this.#done(`${sessionPath(id)}/end`, { method: "POST", keepalive: true });
  }

  /** Tells the audit log that the technician chose another quality. */
  reportQuality(id: string, quality: Quality): Promise<void> {
    return this.#done(`${sessionPath(id)}/stats`, { method: "POST", body: { quality } });
  }

  sessions(
    filter: { machine_id?: string; limit?: number; cursor?: string | undefined },
    signal?: AbortSignal,
  ): Promise<Page<Session>> {
    return this.#json("/api/sessions", { query: filter, ...(signal ? { signal } : {}) });
  }

  // Support codes

  supportCodes(signal?: AbortSignal): Promise<SupportCodes> {
    return this.#json("/api/support-codes", signal ? { signal } : {});
  }

  createSupportCode(body: {
    customer: string;
    assigned_to_me: boolean;
    expires_in_seconds: number | null;
  }): Promise<SupportCode> {
    return this.#json("/api/support-codes", { method: "POST", body });
  }

  /** Takes care of a customer whom nobody has taken yet. */
  takeCustomer(id: string): Promise<SupportCode> {
    return this.#json(`${supportPath(id)}/take`, { method: "POST" });
  }

  /** Lets the guest in. */
  acceptGuest(id: string): Promise<SupportCode> {
    return this.#json(`${supportPath(id)}/accept`, { method: "POST" });
  }

  /** Sends the guest away. */
  refuseGuest(id: string): Promise<SupportCode> {
    return this.#json(`${supportPath(id)}/refuse`, { method: "POST" });
  }

  /** Takes the code back, or ends the help. */
  cancelSupport(id: string): Promise<SupportCode> {
    return this.#json(`${supportPath(id)}/cancel`, { method: "POST" });
  }

  chat(id: string, signal?: AbortSignal): Promise<ChatLine[]> {
    return this.#items(`${supportPath(id)}/chat`, signal);
  }

  /** The same `clientId` again is the same line: safe to repeat. */
  say(id: string, clientId: string, text: string): Promise<void> {
    return this.#done(`${supportPath(id)}/chat`, {
      method: "POST",
      body: { client_id: clientId, text },
    });
  }

  // People

  people(signal?: AbortSignal): Promise<Account[]> {
    return this.#items("/api/users", signal);
  }

  addPerson(body: {
    username: string;
    display_name: string;
    role: string;
    password: string;
  }): Promise<Account> {
    return this.#json("/api/users", { method: "POST", body });
  }

  /** What is absent stays as it is. */
  changePerson(
    id: string,
    body: { display_name?: string; role?: string; disabled?: boolean },
  ): Promise<Account> {
    return this.#json(userPath(id), { method: "PATCH", body });
  }

  /** Of somebody else; ends all of their logins. */
  resetPassword(id: string, password: string): Promise<void> {
    return this.#done(`${userPath(id)}/password`, { method: "POST", body: { password } });
  }

  // Notices

  notices(signal?: AbortSignal): Promise<Notices> {
    return this.#json("/api/notices", signal ? { signal } : {});
  }

  /** Tells everybody something that is nothing. */
  testNotices(): Promise<void> {
    return this.#done("/api/notices/test", { method: "POST" });
  }

  // Audit

  audit(
    filter: AuditFilter & { limit?: number; cursor?: string | undefined },
    signal?: AbortSignal,
  ): Promise<Page<AuditEntry>> {
    return this.#json("/api/audit", { query: { ...filter }, ...(signal ? { signal } : {}) });
  }

  /** The whole log as a file. */
  async exportAudit(format: "csv" | "json"): Promise<Blob> {
    const response = await this.#send("/api/audit/export", { query: { format } });
    return response.blob();
  }

  /** The live event stream's raw answer; `EventStream` reads it. */
  openEvents(signal: AbortSignal): Promise<Response> {
    return this.#send("/api/events", { signal });
  }

  // How calls are made

  async #signInBy(path: string, body: unknown): Promise<User> {
    const signedIn = await this.#json<SignedIn>(path, { method: "POST", body, anonymous: true });
    this.#accessToken = signedIn.access_token;
    return signedIn.user;
  }

  async #items<T>(path: string, signal?: AbortSignal): Promise<T[]> {
    return (await this.#json<{ items: T[] }>(path, signal ? { signal } : {})).items;
  }

  async #json<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.#send(path, options);
    return (await response.json()) as T;
  }

  async #done(path: string, options: RequestOptions): Promise<void> {
    await this.#send(path, options);
  }

  async #send(path: string, options: RequestOptions = {}): Promise<Response> {
    if (options.anonymous || this.#fixedToken) return checked(await this.#fetchOnce(path, options));

    if (this.#accessToken === null) await this.#refresh();
    const used = this.#accessToken;
    const first = await this.#fetchOnce(path, options);
    if (first.status !== 401) return checked(first);

    // Another call may have refreshed while this one was under way: its token is worth a try.
    if (this.#accessToken === used) await this.#refresh();
    const second = await this.#fetchOnce(path, options);
    if (second.status === 401) this.#signedOut();
    return checked(second);
  }

  async #fetchOnce(path: string, options: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = {};
    if (options.body !== undefined) headers["content-type"] = "application/json";
    if (!options.anonymous && this.#accessToken !== null) {
      headers.authorization = `Bearer ${this.#accessToken}`;
    }
    const init: RequestInit = {
      method: options.method ?? "GET",
      headers,
      credentials: this.#fixedToken ? "omit" : "same-origin",
      cache: "no-store",
    };
    if (options.body !== undefined) init.body = JSON.stringify(options.body);
    if (options.keepalive) init.keepalive = true;
    if (options.signal) init.signal = options.signal;
    try {
      return await this.#fetch(this.serverUrl + path + queryString(options.query), init);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new UnreachableError(error);
    }
  }

  /** One refresh at a time, however many calls wait for it. */
  #refresh(): Promise<SignedIn> {
    this.#refreshing ??= oneTabAtATime(() => this.#refreshNow()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshNow(): Promise<SignedIn> {
    const response = await this.#fetchOnce("/api/auth/refresh", {
      method: "POST",
      anonymous: true,
    });
    if (response.status === 401) this.#signedOut();
    const signedIn = (await (await checked(response)).json()) as SignedIn;
    this.#accessToken = signedIn.access_token;
    return signedIn;
  }

  #signedOut(): void {
    const hadToken = this.#accessToken !== null;
    this.#accessToken = null;
    if (hadToken) this.onSignedOut?.();
  }
}

/**
 * The refresh token changes with every use and an old one ends the login, so two tabs must not
 * refresh side by side.
 */
async function oneTabAtATime<T>(work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks ? await locks.request("guruconnect-refresh", work) : await work();
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await readApiError(response);
}

function queryString(query: RequestOptions["query"]): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

const machinePath = (id: string) => `/api/machines/${encodeURIComponent(id)}`;
const userPath = (id: string) => `/api/users/${encodeURIComponent(id)}`;
const supportPath = (id: string) => `/api/support-codes/${encodeURIComponent(id)}`;
const sessionPath = (id: string) => `/api/sessions/${encodeURIComponent(id)}`;
