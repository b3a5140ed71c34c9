import { describe, expect, it, vi } from "vitest";
import { ApiClient } from "./client.ts";
import { ApiError, UnreachableError } from "./errors.ts";

const USER = { id: "u1", username: "ada", display_name: "Ada", role: "admin" };

/** A server whose access tokens can be made to expire. */
function server() {
  const state = { valid: "", issued: 0, refreshes: 0, calls: 0, signedIn: true };
  const json = (status: number, body: unknown) =>
    new Response(JSON.stringify(body), { status, headers: { "retry-after": "7" } });
  const error = (status: number, code: string) =>
    json(status, { error: { code, message: `Sentence about ${code}.` } });
  const fetch = vi.fn(async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = String(input);
    if (url.endsWith("/api/auth/refresh")) {
      state.refreshes += 1;
      await Promise.resolve();
      if (!state.signedIn) return error(401, "signed_out");
      state.issued += 1;
      state.valid = `token-${state.issued}`;
      return json(200, { access_token: state.valid, expires_in: 900, user: USER });
    }
    state.calls += 1;
    const headers = init?.headers as Record<string, string>;
    if (headers.authorization !== `Bearer ${state.valid}`) return error(401, "token_expired");
    return json(200, { items: [] });
  });
  return { state, fetch: fetch as unknown as typeof globalThis.fetch };
}

describe("ApiClient", () => {
  it("refreshes once for many calls that find their token expired", async () => {
    const { state, fetch } = server();
    const api = new ApiClient({ fetch });
    await api.resume();
    state.valid = "expired for the client";

    await Promise.all([api.machines(), api.logins(), api.enrolmentTokens()]);

    expect(state.refreshes).toBe(2);
    expect(state.calls).toBe(6);
  });

  it("tells the page when the login has ended and gives the server's words to the caller", async () => {
    const { state, fetch } = server();
    const api = new ApiClient({ fetch });
    const onSignedOut = vi.fn();
    api.onSignedOut = onSignedOut;
    await api.resume();
    state.valid = "expired for the client";
    state.signedIn = false;

    const call = api.machines();

    await expect(call).rejects.toMatchObject({
      code: "signed_out",
      message: "Sentence about signed_out.",
      retryAfterSeconds: 7,
    });
    expect(onSignedOut).toHaveBeenCalledOnce();
  });

  it("answers that nobody is signed in when there is no earlier login", async () => {
    const { state, fetch } = server();
    state.signedIn = false;
    const api = new ApiClient({ fetch });

    await expect(api.resume()).resolves.toBeNull();
  });

  it("uses a host's token as it is and never the cookie", async () => {
    const { state, fetch } = server();
    state.valid = "from-the-host";
    const api = new ApiClient({ fetch, accessToken: "stale", serverUrl: "https://gc.example/" });

    await expect(api.machines()).rejects.toBeInstanceOf(ApiError);

    expect(state.refreshes).toBe(0);
    const [url, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(url).toBe("https://gc.example/api/machines");
    expect(init?.credentials).toBe("omit");
  });

  it("reports a server that does not answer as unreachable", async () => {
    const api = new ApiClient({ fetch: () => Promise.reject(new TypeError("failed to fetch")) });

    await expect(api.isClaimed()).rejects.toBeInstanceOf(UnreachableError);
  });

  it("turns a proxy's error page into a sentence", async () => {
    const api = new ApiClient({
      fetch: () => Promise.resolve(new Response("<html>Bad gateway</html>", { status: 502 })),
    });

    await expect(api.isClaimed()).rejects.toMatchObject({
      status: 502,
      message: "The server answered with status 502.",
    });
  });
});
