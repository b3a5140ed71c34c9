import type { Notice } from "@guruconnect/api";
import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../account/account.tsx";
import panel from "../components/Panel.module.css";
import { Panel } from "../components/Panel.tsx";
import { ErrorState, errorSentence } from "../components/states.tsx";
import { formatDateTime, TimeAgo } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import classes from "./SettingsPage.module.css";

/** While something is on its way, its state is looked up so often. */
const POLL_MS = 3_000;

/** Who is told by mail and webhook that a customer asks for help, and whether it arrived. */
export function Notices() {
  const api = useApi();
  const queries = useQueryClient();
  const toast = useToast();
  const notices = useQuery({
    queryKey: ["notices"],
    queryFn: ({ signal }) => api.notices(signal),
    staleTime: 0,
    refetchInterval: ({ state }) =>
      state.data?.items.some((notice) => notice.state === "pending") ? POLL_MS : false,
  });
  const test = useMutation({
    mutationFn: () => api.testNotices(),
    onSuccess: () => {
      toast("A test is on its way. The list shows whether it arrives.");
      return queries.invalidateQueries({ queryKey: ["notices"] });
    },
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  const { data } = notices;
  return (
    <Panel
      title="Mail and webhooks"
      padded={false}
      action={
        data &&
        data.targets.length > 0 && (
          <Button
            size="compact-sm"
            variant="default"
            loading={test.isPending}
            onClick={() => test.mutate()}
          >
            Send a test
          </Button>
        )
      }
    >
      {notices.isPending && (
        <div className={panel.quiet} role="status" aria-label="Loading mail and webhooks">
          <Skeleton height={12} width="50%" />
        </div>
      )}
      {notices.isError && !data && (
        <ErrorState error={notices.error} onRetry={() => void notices.refetch()} />
      )}
      {data && (
        <p className={panel.quiet}>
          {data.targets.length === 0
            ? "Nobody is told when a customer asks for help. The operators' guide says how to set mail addresses and webhooks."
            : `When a customer asks for help, told are ${data.targets.map(({ target }) => target).join(", ")}.`}
          {data.email_when === "after-hours" && " Mail goes out after hours only."}
          {data.support_hours &&
            ` Somebody is there ${data.support_hours} (${data.support_time_zone}).`}
        </p>
      )}
      {data && data.items.length > 0 && <Deliveries notices={data.items} />}
    </Panel>
  );
}

function Deliveries({ notices }: { notices: Notice[] }) {
  return (
    <table className={panel.table} aria-label="Deliveries">
      <thead>
        <tr>
          <th>To</th>
          <th>About</th>
          <th>When</th>
          <th>State</th>
        </tr>
      </thead>
      <tbody>
        {notices.map((notice) => (
          <tr key={notice.id}>
            <td>
              <span className={classes.device}>{notice.target}</span>
              {notice.last_error && notice.state !== "delivered" && (
                <div className={classes.minor}>{notice.last_error}</div>
              )}
            </td>
            <td>{ABOUT[notice.kind] ?? notice.kind}</td>
            <td>
              <TimeAgo at={notice.created_at} />
            </td>
            <td>
              <span className={classes.state} data-state={notice.state}>
                {describeState(notice)}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const ABOUT: Record<string, string> = { "support.requested": "Request for help", test: "Test" };

function describeState({ state, attempts, next_at }: Notice): string {
  if (state === "delivered") return attempts > 1 ? `Arrived at try ${attempts}` : "Arrived";
  if (state === "failed") return `Given up after ${attempts} ${attempts === 1 ? "try" : "tries"}`;
  if (attempts === 0) return "On its way";
  return next_at ? `Tried again ${formatDateTime(next_at)}` : "Tried again";
}
