import type { ElevationState, Viewer, ViewerSnapshot } from "@guruconnect/viewer";
import { ShieldIcon } from "../components/icons.tsx";
import { ToolButton } from "./ToolButton.tsx";

const LABEL: Record<Exclude<ElevationState, "not_attended">, string> = {
  unavailable: "Administrator rights cannot be asked for on this machine",
  possible: "Ask for administrator rights",
  asked: "Waiting for the person to agree to administrator rights…",
  starting: "The person's system asks them to confirm administrator rights…",
  elevated: "The program has administrator rights",
};

/** Asks the person at an attended machine for administrator rights. Others have none to ask for. */
export function ElevationButton({
  viewer,
  snapshot,
}: {
  viewer: Viewer;
  snapshot: ViewerSnapshot;
}) {
  const { elevation, consent, state } = snapshot;
  if (elevation === "not_attended") return null;
  const canAsk =
    elevation === "possible" &&
    state.kind === "connected" &&
    consent !== "pending" &&
    consent !== "control_pending";
  return (
    <ToolButton
      label={LABEL[elevation]}
      icon={ShieldIcon}
      pressed={elevation === "elevated"}
      disabled={!canAsk}
      onClick={() => {
        viewer.requestElevation();
        viewer.focus();
      }}
    />
  );
}
