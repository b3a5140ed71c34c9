import type { Viewer } from "@guruconnect/viewer";
import type { CSSProperties } from "react";
import { useViewerSnapshot } from "./hooks.ts";
import { button, card } from "./ViewerStatus.tsx";

const strip: CSSProperties = {
  ...card,
  top: "auto",
  bottom: "0.75rem",
  transform: "translateX(-50%)",
  padding: "0.5rem 0.9rem",
};

const wordStyle: CSSProperties = {
  margin: "0.5rem 0 0",
  font: "600 1.35rem/1.3 ui-monospace, monospace",
};

/** What the person at the machine still has to allow, and the words to compare with them. */
export function ConsentStatus({
  viewer,
  machineName,
}: {
  viewer: Viewer;
  machineName?: string | undefined;
}) {
  const { consent, words, paused } = useViewerSnapshot(viewer);
  const name = machineName ?? "the machine";
  if (consent === "pending") {
    return (
      <div style={card} role="status">
        <div>Waiting for {name}'s user to allow the session…</div>
        {words && (
          <>
            <p style={wordStyle} data-testid="words">
              {words.join(" ")}
            </p>
            <div>Ask them to read the two words on their screen. They must be the same.</div>
          </>
        )}
      </div>
    );
  }
  if (paused) {
    return (
      <div style={card} role="status">
        {name}'s user has paused the session. It goes on when they resume it.
      </div>
    );
  }
  if (consent === "control_pending") {
    return (
      <div style={strip} role="status">
        Waiting for {name}'s user to allow mouse and keyboard…
      </div>
    );
  }
  if (consent === "view_only") {
    return (
      <div style={strip} role="status">
        <div>{name}'s user allowed you to look.</div>
        <button type="button" style={button} onClick={() => viewer.requestControl()}>
          Ask for mouse and keyboard
        </button>
      </div>
    );
  }
  return null;
}
