import type { SupportCode } from "@guruconnect/api";
import { Skeleton } from "@mantine/core";
import { Link, useParams } from "react-router";
import { isAdmin, useUser } from "../account/account.tsx";
import { WarningIcon } from "../components/icons.tsx";
import { Panel } from "../components/Panel.tsx";
import { EmptyState, ErrorState } from "../components/states.tsx";
import { TimeAgo } from "../components/time.tsx";
import { useTitle } from "../useTitle.ts";
import { CodePanel } from "./CodePanel.tsx";
import { NewCode } from "./NewCode.tsx";
import { Notifications } from "./Notifications.tsx";
import classes from "./SupportPage.module.css";
import {
  asksForHelp,
  describeState,
  isLive,
  spaced,
  titleOf,
  useAttention,
  useSupportCodes,
  useUnread,
} from "./support.ts";

/** Codes for customers, the waiting room and the chat. */
export default function SupportPage() {
  const { supportId } = useParams();
  const attention = useAttention();
  useTitle(attention > 0 ? `(${attention}) Support` : "Support");
  const codes = useSupportCodes();
  const selected = codes.data?.items.find(({ id }) => id === supportId);
  const live = codes.data?.items.filter(isLive) ?? [];
  const over = codes.data?.items.filter((code) => !isLive(code)) ?? [];
  return (
    <div className={classes.page} data-detail={supportId ? true : undefined}>
      <div className={classes.left}>
        <h1>Support</h1>
        <Notifications />
        {codes.data && <MissingPrograms systems={codes.data.missing_programs} />}
        <NewCode />
        <Panel title="Customers" padded={false}>
          {codes.isPending && (
            <div className={classes.quiet} role="status" aria-label="Loading support codes">
              <Skeleton height={12} width="60%" />
            </div>
          )}
          {codes.isError && !codes.data && (
            <ErrorState error={codes.error} onRetry={() => void codes.refetch()} />
          )}
          {codes.data && live.length === 0 && (
            <p className={classes.quiet}>Nobody is being helped right now.</p>
          )}
          <CodeList codes={live} selected={supportId} label="Support codes" />
        </Panel>
        {over.length > 0 && (
          <Panel title="Earlier" padded={false}>
            <CodeList codes={over} selected={supportId} label="Earlier support codes" />
          </Panel>
        )}
      </div>
      <div className={classes.right}>
        {selected ? (
          <CodePanel key={selected.id} code={selected} />
        ) : (
          codes.data && <Nothing asked={supportId !== undefined} />
        )}
      </div>
    </div>
  );
}

function Nothing({ asked }: { asked: boolean }) {
  return asked ? (
    <EmptyState title="There is no such support code">It may be from long ago.</EmptyState>
  ) : (
    <EmptyState title="Help somebody">
      Make a code and read it out. The customer types it on this server's page <b>/support</b>, or
      opens the link that you send, and starts the small program there. You let them in here.
    </EmptyState>
  );
}

const SYSTEMS: Record<string, string> = { windows: "Windows", linux: "Linux" };

/** Customers could not download anything: better known before they call. */
function MissingPrograms({ systems }: { systems: string[] }) {
  const user = useUser();
  if (systems.length === 0) return null;
  const names = systems.map((system) => SYSTEMS[system] ?? system).join(" and ");
  return (
    <div className={classes.warning} role="note">
      <WarningIcon size={18} />
      <span>
        Customers on {names} cannot download the program: it is not in the server's folder.{" "}
        {isAdmin(user)
          ? "Put it there as the operators' guide says (AGENTS_DIR)."
          : "Please tell an administrator."}
      </span>
    </div>
  );
}

function CodeList({
  codes,
  selected,
  label,
}: {
  codes: SupportCode[];
  selected: string | undefined;
  label: string;
}) {
  const isUnread = useUnread();
  if (codes.length === 0) return null;
  return (
    <ul className={classes.list} aria-label={label}>
      {codes.map((code) => (
        <li key={code.id}>
          <Link
            to={`/support-codes/${encodeURIComponent(code.id)}`}
            className={classes.item}
            data-state={asksForHelp(code) ? "waiting" : code.state}
            aria-current={code.id === selected ? "page" : undefined}
          >
            <span className={classes.name}>
              {titleOf(code)}
              {isUnread(code) && (
                <span className={classes.unread} role="img" aria-label="Unread message" />
              )}
            </span>
            <span className={classes.when}>
              <TimeAgo at={code.ended_at ?? code.guest?.claimed_at ?? code.created_at} />
            </span>
            <span className={classes.state}>{describeState(code)}</span>
            {isLive(code) && code.code && (
              <span className={`${classes.digits} num`}>{spaced(code.code)}</span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}
