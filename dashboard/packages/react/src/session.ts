import { type ApiClient, ApiError, type Quality, type SessionTicket } from "@guruconnect/api";

/** Codes after which the session that we had cannot be joined any more. */
const GONE = new Set(["session_ended", "session_not_found"]);

/** The session of one viewer: started at the first call, rejoined at the next ones. */
export class SessionSource {
  readonly #api: ApiClient;
  readonly #machineId: string;
  readonly #quality: () => Quality;
  readonly #onTicket: (ticket: SessionTicket) => void;
  #sessionId: string | null = null;
  #ended = false;

  constructor(
    api: ApiClient,
    machineId: string,
    quality: () => Quality,
    onTicket: (ticket: SessionTicket) => void,
  ) {
    this.#api = api;
    this.#machineId = machineId;
    this.#quality = quality;
    this.#onTicket = onTicket;
  }

  get sessionId(): string | null {
    return this.#sessionId;
  }

  async get(): Promise<SessionTicket> {
    try {
      const ticket = this.#sessionId
        ? await this.#api.rejoinSession(this.#sessionId)
        : await this.#api.startSession(this.#machineId, this.#quality());
      this.#sessionId = ticket.session_id;
      // The viewer was closed while the server answered: nobody else would end this session.
      if (this.#ended) await this.end();
      else this.#onTicket(ticket);
      return ticket;
    } catch (error) {
      // The next call, if the technician asks for one, starts a new session.
      if (error instanceof ApiError && GONE.has(error.code)) this.#sessionId = null;
      throw error;
    }
  }

  /** Tells the server that this viewer will not come back. The next `get` starts a new session. */
  async end(): Promise<void> {
    this.#ended = true;
    const id = this.#sessionId;
    this.#sessionId = null;
    if (id === null) return;
    // The session may be over already; the server ends abandoned ones by itself.
    await this.#api.endSession(id).catch(() => {});
  }

  /** After `end`, for connecting again. */
  reopen(): void {
    this.#ended = false;
  }
}
