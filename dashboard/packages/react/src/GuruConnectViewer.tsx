import { ApiClient, type SessionTicket } from "@guruconnect/api";
import {
  type ConnectionState,
  type Quality,
  type Scale,
  Viewer,
  type ViewerEvent,
  type ViewerStats,
} from "@guruconnect/viewer";
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from "react";
import { ConsentStatus } from "./ConsentStatus.tsx";
import { SessionSource } from "./session.ts";
import { ViewerStatus } from "./ViewerStatus.tsx";

export interface GuruConnectViewerProps {
  /** The machine to open. Another id closes this session and opens another. */
  machineId: string;
  /** For sentences about it. Default: "the machine". */
  machineName?: string | undefined;
  /** A token from the server's API. Needed unless `client` is given. */
  apiToken?: string;
  /** Where the server is, such as `https://support.example.com`. Default: this page's origin. */
  serverUrl?: string;
  /** A signed-in client, instead of `apiToken` and `serverUrl`. */
  client?: ApiClient;
  /** Default `auto`. */
  quality?: Quality;
  /** Look, but do not touch. Default false. */
  viewOnly?: boolean;
  /** Default `fit`. */
  scale?: Scale;
  /** What the agent's log calls this program. */
  software?: string;
  /** Connecting, connected, reconnecting, ended. */
  onStateChange?: (state: ConnectionState) => void;
  /** Twice a second while connected. */
  onStats?: (stats: ViewerStats) => void;
  /** Something a technician should know: a sentence. */
  onNotice?: (notice: { code: string; message: string }) => void;
  /** A session was started or rejoined. */
  onSession?: (session: SessionTicket) => void;
  /** The technician pressed Ctrl+Alt+Shift: give the keyboard to something else. */
  onLeave?: () => void;
  /** Replaces the built-in card that says what is happening while there is no connection. */
  renderStatus?: (state: ConnectionState, viewer: Viewer) => ReactNode;
  /** Drawn over the picture, such as a toolbar. */
  children?: (viewer: Viewer) => ReactNode;
  className?: string;
  style?: CSSProperties;
}

/** A machine's screen, live and under control. Takes the size of its container. */
export function GuruConnectViewer(props: GuruConnectViewerProps) {
  const { machineId, apiToken, serverUrl, client, quality, viewOnly, scale } = props;
  const container = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [state, setState] = useState<ConnectionState>({ kind: "connecting" });

  useEffect(() => {
    let close = () => {};
    let cancelled = false;
    // A task later, so that React's development double mount does not start two sessions.
    queueMicrotask(() => {
      if (cancelled || !container.current) return;
      const api = client ?? new ApiClient(hostOptions(serverUrl, apiToken));
      close = openViewer(api, machineId, container.current, latest, (opened) => {
        setState(opened.snapshot.state);
        setViewer(opened);
        return (event) => {
          if (event.kind === "state") setState(event.state);
        };
      });
    });
    return () => {
      cancelled = true;
      close();
      setViewer(null);
    };
  }, [machineId, apiToken, serverUrl, client]);

  useEffect(() => {
    if (viewer && quality) viewer.setQuality(quality);
  }, [viewer, quality]);
  useEffect(() => {
    if (viewer && viewOnly !== undefined) viewer.setViewOnly(viewOnly);
  }, [viewer, viewOnly]);
  useEffect(() => {
    if (viewer && scale) viewer.setScale(scale);
  }, [viewer, scale]);

  const status =
    viewer && state.kind !== "connected"
      ? (props.renderStatus?.(state, viewer) ?? <ViewerStatus state={state} viewer={viewer} />)
      : null;
  return (
    <div
      className={props.className}
      style={{ position: "relative", width: "100%", height: "100%", ...props.style }}
    >
      <div ref={container} style={{ position: "absolute", inset: 0 }} />
      {status}
      {viewer && state.kind === "connected" && (
        <ConsentStatus viewer={viewer} machineName={props.machineName} />
      )}
      {viewer && props.children?.(viewer)}
    </div>
  );
}

/** Opens a viewer and connects its events to the component's newest props. Returns its end. */
function openViewer(
  api: ApiClient,
  machineId: string,
  container: HTMLElement,
  latest: { readonly current: GuruConnectViewerProps },
  onOpened: (viewer: Viewer) => (event: ViewerEvent) => void,
): () => void {
  const source = new SessionSource(
    api,
    machineId,
    () => viewer.snapshot.quality,
    (ticket) => latest.current.onSession?.(ticket),
  );
  const { quality, viewOnly, scale, software } = latest.current;
  const viewer: Viewer = new Viewer(container, {
    machineId,
    getSession: () => {
      source.reopen();
      return source.get();
    },
    ...(quality && { quality }),
    ...(viewOnly !== undefined && { viewOnly }),
    ...(scale && { scale }),
    ...(software && { software }),
  });
  const handle = onOpened(viewer);
  let reported = viewer.snapshot.quality;
  viewer.events.subscribe((event) => {
    handle(event);
    if (event.kind === "state") latest.current.onStateChange?.(event.state);
    if (event.kind === "stats") latest.current.onStats?.(event.stats);
    if (event.kind === "notice") latest.current.onNotice?.(event);
    if (event.kind === "leave") latest.current.onLeave?.();
    if (event.kind === "snapshot" && event.snapshot.quality !== reported) {
      reported = event.snapshot.quality;
      if (source.sessionId) void api.reportQuality(source.sessionId, reported).catch(() => {});
    }
  });
  const leave = (event: PageTransitionEvent) => {
    if (!event.persisted) void source.end();
  };
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
    viewer.close();
    void source.end();
  };
}

function hostOptions(serverUrl: string | undefined, apiToken: string | undefined) {
  return {
    ...(serverUrl !== undefined && { serverUrl }),
    ...(apiToken !== undefined && { accessToken: apiToken }),
  };
}
