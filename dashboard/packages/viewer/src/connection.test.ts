import { describe, expect, it } from "vitest";
import { Connection, type ConnectionOutput, type ConnectionState } from "./connection.ts";
import type { SessionInfo } from "./messages.ts";

const SESSION = { session_id: "s1" } as SessionInfo;

/** A connection in virtual time, with what it asked for so far. */
function connection() {
  const machine = new Connection(() => 0);
  const outputs: ConnectionOutput[] = [];
  let now = 1_000;
  const drain = () => {
    for (let output = machine.pollOutput(); output; output = machine.pollOutput()) {
      outputs.push(output);
    }
  };
  drain();
  const last = <K extends ConnectionOutput["kind"]>(kind: K) =>
    outputs.findLast((output) => output.kind === kind) as Extract<ConnectionOutput, { kind: K }>;
  return {
    machine,
    outputs,
    last,
    count: (kind: ConnectionOutput["kind"]) => outputs.filter((each) => each.kind === kind).length,
    do: (work: (nowMs: number) => void) => {
      work(now);
      drain();
    },
    /** Lets time pass until the connection wants to act, and says how long that took. */
    sleep: () => {
      const wait = (machine.pollTimeout() ?? now) - now;
      now += wait;
      machine.handleTimeout(now);
      drain();
      return wait;
    },
    /** From the newest request to a connected session. */
    connect() {
      this.do((at) => machine.handleSession(at, last("get_session").request, SESSION));
      this.do(() => machine.handleConnected(last("open").link));
    },
    close(code: number) {
      this.do((at) => machine.handleClosed(at, last("open").link, code));
    },
    refuse(code: string | null) {
      this.do((at) => machine.handleSessionFailed(at, last("get_session").request, code));
    },
  };
}

describe("Connection", () => {
  it("asks for a session, opens it and is connected", () => {
    const it = connection();

    it.connect();

    expect(it.outputs.map((output) => output.kind)).toEqual(["get_session", "open", "state"]);
    expect(it.machine.state).toEqual({ kind: "connected" });
    expect(it.machine.pollTimeout()).toBeNull();
  });

  it.each([
    [4001, "machine_disconnected"],
    [4004, "machine_unreachable"],
    [4003, "connection_lost"],
    [1001, "server_unreachable"],
    [1006, "connection_lost"],
    [4999, "connection_lost"],
  ])("comes back by itself after close code %i, and says %s", (code, reason) => {
    const it = connection();
    it.connect();

    it.close(code);

    expect(it.machine.state).toMatchObject({ kind: "reconnecting", reason, attempt: 1 });
    it.sleep();
    it.connect();
    expect(it.machine.state.kind).toBe("connected");
  });

  it.each([
    [4002, "session_ended"],
    [4005, "protocol"],
  ])("does not come back after close code %i", (code, reason) => {
    const it = connection();
    it.connect();

    it.close(code);

    expect(it.machine.state).toMatchObject({ kind: "ended", reason });
    expect(it.machine.pollTimeout()).toBeNull();
  });

  it("waits longer from attempt to attempt, up to three seconds, and never gives up", () => {
    const it = connection();
    it.connect();
    it.close(1006);

    const waits = Array.from({ length: 50 }, () => {
      const wait = it.sleep();
      it.refuse(null);
      return wait;
    });

    expect(waits.slice(0, 6)).toEqual([300, 600, 1_200, 2_400, 3_000, 3_000]);
    expect(it.machine.state).toMatchObject({ kind: "reconnecting", attempt: 51 });
  });

  it("starts with short waits again once it was connected", () => {
    const it = connection();
    it.connect();
    it.close(1006);
    it.sleep();
    it.refuse("machine_offline");
    it.sleep();
    it.connect();

    it.close(4001);

    expect(it.sleep()).toBe(300);
  });

  it.each([
    ["machine_offline", "reconnecting", "machine_offline"],
    ["too_many_attempts", "reconnecting", "busy"],
    ["internal", "reconnecting", "server_unreachable"],
    [null, "reconnecting", "server_unreachable"],
    ["session_ended", "ended", "session_ended"],
    ["machine_not_found", "ended", "machine_not_found"],
    ["forbidden", "ended", "not_allowed"],
    ["signed_out", "ended", "signed_out"],
    ["agent_key_changed", "ended", "agent_key_changed"],
  ])("answers a refusal %s with %s: %s", (code, kind, reason) => {
    const it = connection();

    it.refuse(code);

    expect(it.machine.state).toMatchObject({ kind, reason });
  });

  it.each([
    ["agent_key_mismatch", "ended"],
    ["tampered", "ended"],
    ["refused", "ended"],
    ["incompatible", "ended"],
    ["protocol", "ended"],
    ["ended_by_person", "ended"],
    ["declined", "ended"],
    ["no_answer", "ended"],
    ["ended_by_agent", "reconnecting"],
    ["desktop_lost", "reconnecting"],
    ["grant_expired", "reconnecting"],
  ] as const)("after the core's %s it is %s", (code, kind) => {
    const it = connection();
    it.connect();

    it.do((at) =>
      it.machine.handleCoreEnded(at, it.last("open").link, code, "The core's own words."),
    );
    // The socket closes a moment later: that changes nothing any more.
    it.close(1000);

    expect(it.machine.state.kind).toBe(kind);
    if (kind === "ended") {
      expect(it.machine.state).toMatchObject({ message: "The core's own words." });
    }
  });

  it("tries again when nothing comes of opening", () => {
    const it = connection();
    it.do((at) => it.machine.handleSession(at, it.last("get_session").request, SESSION));

    it.sleep();

    expect(it.machine.state).toMatchObject({ kind: "reconnecting", reason: "machine_unreachable" });
    expect(it.last("close").goodbye).toBe(false);
  });

  it("ignores what belongs to an earlier connection", () => {
    const it = connection();
    it.connect();
    const old = it.last("open").link;
    it.close(4001);
    it.sleep();
    it.connect();

    it.do((at) => it.machine.handleClosed(at, old, 4002));

    expect(it.machine.state.kind).toBe("connected");
  });

  it("does not wait when the network is back", () => {
    const it = connection();
    it.connect();
    it.close(1006);

    it.do(() => it.machine.handleRetryNow());

    expect(it.count("get_session")).toBe(2);
  });

  it("begins anew after an end when the technician asks for it", () => {
    const it = connection();
    it.connect();
    it.close(4002);

    it.do(() => it.machine.handleRestart());

    const states = it.outputs.filter((each) => each.kind === "state").map((each) => each.state);
    expect(states.at(-1)).toEqual({ kind: "connecting" } satisfies ConnectionState);
    it.connect();
    expect(it.machine.state.kind).toBe("connected");
  });

  it("says goodbye only when the technician leaves", () => {
    const it = connection();
    it.connect();

    it.do(() => it.machine.handleClose());

    expect(it.last("close").goodbye).toBe(true);
    expect(it.machine.state).toMatchObject({ kind: "ended", reason: "closed" });
  });
});
