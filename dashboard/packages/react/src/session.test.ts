import { type ApiClient, ApiError, type SessionTicket } from "@guruconnect/api";
import { describe, expect, it, vi } from "vitest";
import { SessionSource } from "./session.ts";

function source() {
  const ticket = { session_id: "s1" } as SessionTicket;
  const api = {
    startSession: vi.fn(async () => ticket),
    rejoinSession: vi.fn(async () => ticket),
    endSession: vi.fn(async () => {}),
  };
  const onTicket = vi.fn();
  const under = new SessionSource(api as unknown as ApiClient, "m1", () => "auto", onTicket);
  return { under, api, onTicket };
}

describe("SessionSource", () => {
  it("starts a session at first and rejoins it afterwards", async () => {
    const { under, api, onTicket } = source();

    await under.get();
    await under.get();

    expect(api.startSession).toHaveBeenCalledExactlyOnceWith("m1", "auto");
    expect(api.rejoinSession).toHaveBeenCalledExactlyOnceWith("s1");
    expect(onTicket).toHaveBeenCalledTimes(2);
  });

  it("starts a new session after the old one has ended", async () => {
    const { under, api } = source();
    await under.get();
    api.rejoinSession.mockRejectedValueOnce(new ApiError(410, "session_ended", "It has ended."));

    await expect(under.get()).rejects.toMatchObject({ code: "session_ended" });
    await under.get();

    expect(api.startSession).toHaveBeenCalledTimes(2);
  });

  it("keeps the session while the machine is only offline", async () => {
    const { under, api } = source();
    await under.get();
    api.rejoinSession.mockRejectedValueOnce(new ApiError(409, "machine_offline", "Offline."));

    await expect(under.get()).rejects.toMatchObject({ code: "machine_offline" });
    await under.get();

    expect(api.startSession).toHaveBeenCalledOnce();
  });

  it("ends the session when the viewer is closed, also when it was closed while starting", async () => {
    const open = source();
    await open.under.get();
    await open.under.end();
    expect(open.api.endSession).toHaveBeenCalledExactlyOnceWith("s1");

    const starting = source();
    const started = starting.under.get();
    await starting.under.end();
    await started;
    expect(starting.api.endSession).toHaveBeenCalledExactlyOnceWith("s1");
    expect(starting.onTicket).not.toHaveBeenCalled();
  });
});
