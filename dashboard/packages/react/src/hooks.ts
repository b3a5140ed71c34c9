import type { Viewer, ViewerSnapshot, ViewerStats } from "@guruconnect/viewer";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

/** The viewer's current state; renders again whenever it changes. */
export function useViewerSnapshot(viewer: Viewer): ViewerSnapshot {
  const subscribe = useCallback(
    (changed: () => void) =>
      viewer.events.subscribe((event) => {
        if (event.kind === "snapshot") changed();
      }),
    [viewer],
  );
  return useSyncExternalStore(subscribe, () => viewer.snapshot);
}

/** The viewer's figures, twice a second; `null` while there are none. */
export function useViewerStats(viewer: Viewer): ViewerStats | null {
  const [stats, setStats] = useState<ViewerStats | null>(null);
  useEffect(
    () =>
      viewer.events.subscribe((event) => {
        if (event.kind === "stats") setStats(event.stats);
        if (event.kind === "state" && event.state.kind !== "connected") setStats(null);
      }),
    [viewer],
  );
  return stats;
}
