import type { SessionTicket } from "@guruconnect/api";
import { GuruConnectViewer } from "@guruconnect/react";
import type { ConnectionState } from "@guruconnect/viewer";
import { useRef, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useApi } from "../account/account.tsx";
import { useToast } from "../components/toasts.tsx";
import { useMachines } from "../machines/machines.ts";
import { useSupportCodes } from "../support/support.ts";
import { useTitle } from "../useTitle.ts";
import { useStateFavicon } from "./favicon.ts";
import { StatusCard } from "./StatusCard.tsx";
import classes from "./ViewerPage.module.css";
import { ViewerToolbar } from "./ViewerToolbar.tsx";

export { preloadViewer } from "@guruconnect/viewer";

const STATE_WORD: Record<ConnectionState["kind"], string> = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
  ended: "ended",
};

/** A machine's screen in the whole window. */
export default function ViewerPage() {
  const { machineId = "" } = useParams();
  const api = useApi();
  const toast = useToast();
  const navigate = useNavigate();
  const bar = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<ConnectionState>({ kind: "connecting" });
  const [session, setSession] = useState<SessionTicket | null>(null);
  const listed = useMachines().data?.find((machine) => machine.id === machineId);
  // A customer's computer is in no list of machines: its support code knows it.
  const helped = useSupportCodes().data?.items.find(({ guest }) => guest?.machine_id === machineId);
  const name = listed?.name ?? helped?.guest?.host_name ?? session?.machine.name ?? "Machine";
  useTitle(`${name}: ${STATE_WORD[state.kind]}`);
  useStateFavicon(state.kind);

  const leave = () =>
    navigate(
      helped
        ? `/support-codes/${encodeURIComponent(helped.id)}`
        : `/machines/${encodeURIComponent(machineId)}`,
    );
  return (
    <main className={classes.page} data-viewer-state={state.kind}>
      <GuruConnectViewer
        machineName={name}
        className={classes.viewer ?? ""}
        machineId={machineId}
        client={api}
        software="dashboard 0.1.0"
        onStateChange={setState}
        onSession={setSession}
        onNotice={({ message }) => toast(message, "failed")}
        onLeave={() => bar.current?.querySelector("button")?.focus()}
        renderStatus={(current, viewer) => (
          <StatusCard state={current} viewer={viewer} machineName={name} onLeave={leave} />
        )}
      >
        {(viewer) => (
          <ViewerToolbar
            ref={bar}
            viewer={viewer}
            machineName={name}
            machine={listed}
            onDisconnect={leave}
          />
        )}
      </GuruConnectViewer>
    </main>
  );
}
