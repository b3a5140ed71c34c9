import type { Machine, Session } from "@guruconnect/api";
import { Button, Skeleton } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useApi } from "../account/account.tsx";
import panel from "../components/Panel.module.css";
import { Panel } from "../components/Panel.tsx";
import { ErrorState, errorSentence } from "../components/states.tsx";
import { describeBytes, describeDuration, formatDateTime, TimeAgo } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import classes from "./Sessions.module.css";

/** Who is on the machine right now. */
export function RunningSessions({ machine }: { machine: Machine }) {
  const api = useApi();
  const toast = useToast();
  const end = useMutation({
    mutationFn: (id: string) => api.endSession(id),
    onSuccess: () => toast("The session was ended."),
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  if (machine.sessions.length === 0) return null;
  return (
    <ul className={classes.running} aria-label="Running sessions">
      {machine.sessions.map((session) => (
        <li key={session.session_id}>
          <span>
            <strong>{session.technician}</strong> is connected, since{" "}
            <TimeAgo at={session.started_at} />
          </span>
          <Button
            size="compact-sm"
            variant="default"
            loading={end.isPending && end.variables === session.session_id}
            onClick={() => end.mutate(session.session_id)}
          >
            End
          </Button>
        </li>
      ))}
    </ul>
  );
}

const PAGE = 20;

/** The machine's past sessions, newest first. */
export function SessionHistory({ machineId }: { machineId: string }) {
  const api = useApi();
  const sessions = useInfiniteQuery({
    queryKey: ["sessions", machineId],
    queryFn: ({ pageParam, signal }) =>
      api.sessions({ machine_id: machineId, limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const items = sessions.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Sessions" padded={false}>
      {sessions.isPending && (
        <div className={panel.quiet} role="status" aria-label="Loading sessions">
          <Skeleton height={12} width="60%" mb={14} />
          <Skeleton height={12} width="45%" />
        </div>
      )}
      {sessions.isError && !items && (
        <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {items?.length === 0 && <p className={panel.quiet}>Nobody has connected yet.</p>}
      {items && items.length > 0 && (
        <table className={panel.table}>
          <thead>
            <tr>
              <th>Started</th>
              <th>Technician</th>
              <th>Duration</th>
              <th>Data</th>
              <th>Ended</th>
            </tr>
          </thead>
          <tbody>
            {items.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </tbody>
        </table>
      )}
      {sessions.hasNextPage && (
        <div className={panel.foot}>
          <Button
            variant="subtle"
            loading={sessions.isFetchingNextPage}
            onClick={() => void sessions.fetchNextPage()}
          >
            Show older
          </Button>
        </div>
      )}
    </Panel>
  );
}

function SessionRow({ session }: { session: Session }) {
  return (
    <tr>
      <td className="num">{formatDateTime(session.created_at)}</td>
      <td>{session.technician}</td>
      <td className="num">{describeDuration(session.duration_seconds)}</td>
      <td className="num">{describeBytes(session.bytes_transferred)}</td>
      <td>{session.ended_at ? describeEnd(session.end_reason ?? null) : "Running"}</td>
    </tr>
  );
}

/** Why a session ended, in words. */
const END_WORDS: Record<string, string> = {
  ended_by_technician: "By the technician",
  ended_by_other: "By somebody else",
  abandoned: "Viewer did not come back",
  machine_revoked: "Machine removed or its key revoked",
  login_ended: "Technician signed out",
};

function describeEnd(reason: string | null): string {
  if (reason === null) return "Ended";
  const words = reason.replaceAll("_", " ");
  return END_WORDS[reason] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
