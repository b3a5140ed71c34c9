import type { ConsentOutcome, CoreEvent, Feature } from "./messages.ts";
import type { Notice } from "./notices.ts";
import type { ConsentState, ElevationState, ViewerSnapshot } from "./snapshot.ts";

type Connected = Extract<CoreEvent, { type: "connected" }>;
type Answer = Extract<CoreEvent, { type: "consent" }>;

/** Of a machine that has just answered. */
export function consentOf(event: Connected): ConsentState {
  if (event.consent_pending) return "pending";
  const mayAsk = event.features.includes("consent") && !event.rights.includes("control");
  return mayAsk ? "view_only" : "settled";
}

/** Of a machine that has just answered. */
export function elevationOf(features: readonly Feature[]): ElevationState {
  if (features.includes("elevated")) return "elevated";
  if (features.includes("elevation")) return "possible";
  return features.includes("consent") ? "unavailable" : "not_attended";
}

/** What an answer of the person at the machine changes; `null` before there is a machine. */
export function afterAnswer(
  snapshot: ViewerSnapshot,
  answer: Answer,
): { change: Partial<ViewerSnapshot>; notice: Notice | null } | null {
  const { remote, elevation } = snapshot;
  if (!remote) return null;
  // 0 is the question at the start, which nobody here asked.
  const asked = answer.request_id !== 0;
  const refused = asked && answer.outcome !== "allowed" ? answer.outcome : null;
  if (asked && elevation === "asked") {
    return {
      change: { elevation: refused ? "possible" : "starting" },
      notice: refused && { code: `elevation_${refused}`, message: NO_ELEVATION[refused] },
    };
  }
  const { rights } = answer;
  return {
    change: {
      remote: { ...remote, rights },
      consent: rights.includes("control") ? "settled" : "view_only",
    },
    notice: refused && { code: `control_${refused}`, message: NO_CONTROL[refused] },
  };
}

type Refusal = Exclude<ConsentOutcome, "allowed">;

const NO_ELEVATION: Record<Refusal, string> = {
  declined: "The person at the machine did not agree to administrator rights.",
  timed_out: "Nobody at the machine answered, so there are no administrator rights.",
};

const NO_CONTROL: Record<Refusal, string> = {
  declined: "The person at the machine did not allow mouse and keyboard.",
  timed_out: "Nobody at the machine answered, so mouse and keyboard stay with them.",
};
