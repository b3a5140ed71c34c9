import type { CoreEvent, Guard } from "./messages.ts";

/** Something that the technician should read once. */
export interface Notice {
  code: string;
  message: string;
}

const OF_THE_MACHINE: Record<string, string> = {
  input_unavailable: "The machine does not accept input right now.",
  chord_unsupported: "The machine cannot press this combination.",
  questions_closed:
    "The person at the machine said no three times and is not asked any more. Only they can allow questions again, in their window.",
  elevation_failed:
    "The person's system did not give administrator rights: they said no to its own question, or it has none to give.",
};

export function machineNotice(code: string): Notice {
  return { code, message: OF_THE_MACHINE[code] ?? "The machine reported something unusual." };
}

type GuardEvent = Extract<CoreEvent, { type: "guard" }>;

export function guardOf({ block_input, blank_screen }: GuardEvent): Guard {
  return { block_input, blank_screen };
}

/** `null`: the machine did what was asked for. */
export function guardNotice({ detail }: GuardEvent): Notice | null {
  if (detail === "") return null;
  return { code: "guard_refused", message: `The machine did not do all of that: ${detail}.` };
}
