import { describe, expect, it } from "vitest";
import { afterAnswer, consentOf, elevationOf } from "./consent.ts";
import type { ConsentOutcome, CoreEvent, Right } from "./messages.ts";
import { firstSnapshot, type ViewerSnapshot } from "./snapshot.ts";

const connected: Extract<CoreEvent, { type: "connected" }> = {
  type: "connected",
  software: "agent",
  os_family: "windows",
  rights: ["view"],
  features: ["consent", "elevation"],
  consent_pending: false,
  words: ["amber", "otter"],
};

function looking(change: Partial<ViewerSnapshot> = {}): ViewerSnapshot {
  const remote = { software: "agent", osFamily: null, rights: ["view" as const], features: [] };
  return { ...firstSnapshot({ kind: "connected" }, {}), remote, consent: "view_only", ...change };
}

function answer(outcome: ConsentOutcome, rights: Right[], request_id = 1) {
  return { type: "consent" as const, outcome, rights, request_id };
}

describe("the beginning", () => {
  it("waits for the person where one is being asked", () => {
    expect(consentOf({ ...connected, consent_pending: true })).toBe("pending");
  });

  it("offers to ask for control where a person allowed looking only", () => {
    expect(consentOf(connected)).toBe("view_only");
    expect(consentOf({ ...connected, rights: ["view", "control"] })).toBe("settled");
  });

  it("asks nobody on a machine without a person", () => {
    expect(consentOf({ ...connected, features: [] })).toBe("settled");
    expect(elevationOf([])).toBe("not_attended");
  });

  it("knows whether administrator rights can be had", () => {
    expect(elevationOf(["consent"])).toBe("unavailable");
    expect(elevationOf(["consent", "elevation"])).toBe("possible");
    expect(elevationOf(["consent", "elevation", "elevated"])).toBe("elevated");
  });
});

describe("an answer", () => {
  it("gives control without a word", () => {
    const after = afterAnswer(looking(), answer("allowed", ["view", "control"]));

    expect(after?.change).toMatchObject({ consent: "settled" });
    expect(after?.change.remote?.rights).toEqual(["view", "control"]);
    expect(after?.notice).toBeNull();
  });

  it.each(["declined", "timed_out"] as const)(
    "that was %s leaves the looking and says so",
    (no) => {
      const after = afterAnswer(looking({ consent: "control_pending" }), answer(no, ["view"]));

      expect(after?.change.consent).toBe("view_only");
      expect(after?.notice?.code).toBe(`control_${no}`);
    },
  );

  it("to the question at the start says nothing that the session's end does not say", () => {
    expect(afterAnswer(looking(), answer("declined", [], 0))?.notice).toBeNull();
  });

  it("about administrator rights leaves mouse and keyboard as they are", () => {
    const asked = looking({ elevation: "asked", consent: "settled" });

    expect(afterAnswer(asked, answer("allowed", ["view"]))?.change).toEqual({
      elevation: "starting",
    });
    const refused = afterAnswer(asked, answer("timed_out", ["view"]));
    expect(refused?.change).toEqual({ elevation: "possible" });
    expect(refused?.notice?.code).toBe("elevation_timed_out");
  });

  it("from a machine that never introduced itself changes nothing", () => {
    expect(afterAnswer(looking({ remote: null }), answer("allowed", ["view"]))).toBeNull();
  });
});
