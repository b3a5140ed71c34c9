/** An answer of the server other than success, in the server's own words. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable name of the reason, such as `machine_offline`. */
  readonly code: string;
  /** How long the server asks us to wait, when it does. */
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer at all: the server is down or the network is. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "UnreachableError";
  }
}

/** Reads `{"error":{"code","message"}}`; an answer that is not ours (a proxy's page) becomes a plain sentence. */
export async function readApiError(response: Response): Promise<ApiError> {
  const waitSeconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const retryAfter = Number.isFinite(waitSeconds) ? waitSeconds : null;
  try {
    const body = (await response.json()) as { error?: { code?: unknown; message?: unknown } };
    const { code, message } = body.error ?? {};
    if (typeof code === "string" && typeof message === "string") {
      return new ApiError(response.status, code, message, retryAfter);
    }
  } catch {
    // Not JSON: fall through to the sentence below.
  }
  const message = `The server answered with status ${response.status}.`;
  return new ApiError(response.status, `http_${response.status}`, message, retryAfter);
}

/** A proxy that cannot reach the server answers with these; to a person it is the same as no answer. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiError && error.status >= 502 && error.status <= 504;
}
