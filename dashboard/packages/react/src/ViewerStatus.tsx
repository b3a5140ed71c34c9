import type { ConnectionState, Viewer } from "@guruconnect/viewer";
import type { CSSProperties } from "react";

export const card: CSSProperties = {
  position: "absolute",
  left: "50%",
  top: "50%",
  transform: "translate(-50%, -50%)",
  width: "min(26rem, calc(100% - 2rem))",
  padding: "1rem 1.25rem",
  borderRadius: 10,
  background: "#171f1e",
  color: "#e6ecea",
  font: "0.95rem/1.45 system-ui, sans-serif",
  textAlign: "center",
  boxShadow: "0 10px 40px rgb(0 0 0 / 0.45)",
};

export const button: CSSProperties = {
  marginTop: "0.75rem",
  padding: "0.4rem 0.9rem",
  border: 0,
  borderRadius: 6,
  background: "#4aa99d",
  color: "#06110f",
  font: "inherit",
  cursor: "pointer",
};

/** Says what is happening while there is no picture, and offers what helps. */
export function ViewerStatus({ state, viewer }: { state: ConnectionState; viewer: Viewer }) {
  if (state.kind === "connected") return null;
  const message = state.kind === "connecting" ? "Connecting…" : state.message;
  return (
    <div style={card} role="status">
      <div>{message}</div>
      {state.kind === "reconnecting" && (
        <button type="button" style={button} onClick={() => viewer.reconnect()}>
          Try now
        </button>
      )}
      {state.kind === "ended" && state.reason !== "machine_not_found" && (
        <button type="button" style={button} onClick={() => viewer.reconnect()}>
          Connect again
        </button>
      )}
    </div>
  );
}
