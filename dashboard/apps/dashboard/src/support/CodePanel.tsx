import type { Guest, SupportCode } from "@guruconnect/api";
import { Button, CopyButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { useApi, useUser } from "../account/account.tsx";
import { BackIcon, CheckIcon, ConnectIcon, CopyIcon, LinkIcon } from "../components/icons.tsx";
import { Refusal } from "../components/states.tsx";
import { formatDateTime, TimeAgo } from "../components/time.tsx";
import { putSupportCode } from "../live.tsx";
import { Chat } from "./Chat.tsx";
import classes from "./SupportPage.module.css";
import {
  asksForHelp,
  describeState,
  fromMachine,
  isFor,
  isLive,
  linkOf,
  spaced,
  titleOf,
} from "./support.ts";

/** One support code: the code itself, the guest, what can be done, the chat. */
export function CodePanel({ code }: { code: SupportCode }) {
  const user = useUser();
  const mine = isFor(code, user);
  return (
    <article className={classes.detail} aria-labelledby="support-title">
      <div className={classes.head}>
        <Link to="/support-codes" className={classes.back} aria-label="All support codes">
          <BackIcon size={18} />
        </Link>
        <div>
          <h2 id="support-title">{titleOf(code)}</h2>
          <p className={classes.minor} role="status">
            {describeState(code)}
            {code.technician && ` · ${code.technician}`}
          </p>
        </div>
        {isLive(code) && mine && <EndButton code={code} />}
      </div>
      {asksForHelp(code) && <AskingCard code={code} />}
      {code.state === "open" && !code.requested && code.code && (
        <OpenCode code={code} digits={code.code} />
      )}
      {code.guest?.is_managed && <MachineCard code={code} machine={code.guest} mine={mine} />}
      {code.guest && !code.guest.is_managed && (
        <GuestCard code={code} guest={code.guest} mine={mine} />
      )}
      <Chat code={code} mine={mine} />
    </article>
  );
}

/** A customer came without a code: the first technician who takes them has them. */
function AskingCard({ code }: { code: SupportCode }) {
  const api = useApi();
  const queries = useQueryClient();
  const take = useMutation({
    mutationFn: () => api.takeCustomer(code.id),
    onSuccess: (taken) => putSupportCode(queries, taken),
  });
  return (
    <section className={classes.card} data-waiting aria-label="Asks for help">
      <h3>{fromMachine(code) ? "This user asks for help" : "This customer asks for help"}</h3>
      <p className={classes.minor}>
        {fromMachine(code)
          ? "They asked at a machine that you look after. Take the request, and they see your name; answer in the chat, and connect."
          : "They wait on the page with the download. Take them, answer in the chat, and let them in when they have started the program."}
      </p>
      <Refusal error={take.error} />
      <div className={classes.actions}>
        <Button loading={take.isPending} onClick={() => take.mutate()}>
          Take
        </Button>
      </div>
    </section>
  );
}

function OpenCode({ code, digits }: { code: SupportCode; digits: string }) {
  const link = linkOf(code);
  return (
    <div className={classes.card}>
      {/* Read digit by digit, as it is said on the telephone. */}
      <p className={`${classes.big} num`} role="img" aria-label={`Code ${[...digits].join(" ")}`}>
        {spaced(digits)}
      </p>
      <div className={classes.actions}>
        <CopyTo value={digits} label="Copy the code" icon={<CopyIcon size={16} />} />
        {link && <CopyTo value={link} label="Copy the link" icon={<LinkIcon size={16} />} />}
      </div>
      <p className={classes.minor}>
        On{" "}
        <span className="mono">
          {new URL("/support", link ?? window.location.href).host}/support
        </span>
        {code.expires_at ? `, until ${formatDateTime(code.expires_at)}.` : ", until you cancel it."}
        {code.assigned_to ? "" : " Any technician may let the customer in."}
      </p>
    </div>
  );
}

function CopyTo({ value, label, icon }: { value: string; label: string; icon: React.ReactNode }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          variant="default"
          leftSection={copied ? <CheckIcon size={16} /> : icon}
          onClick={copy}
        >
          {copied ? "Copied" : label}
        </Button>
      )}
    </CopyButton>
  );
}

function GuestCard({ code, guest, mine }: { code: SupportCode; guest: Guest; mine: boolean }) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const view = `/machines/${encodeURIComponent(guest.machine_id)}/view`;
  const accept = useMutation({
    mutationFn: () => api.acceptGuest(code.id),
    onSuccess: (accepted) => {
      putSupportCode(queries, accepted);
      navigate(view);
    },
  });
  const refuse = useMutation({
    mutationFn: () => api.refuseGuest(code.id),
    onSuccess: (refused) => putSupportCode(queries, refused),
  });
  const waiting = code.state === "waiting";
  const letIn = code.state === "accepted" || code.state === "active";
  return (
    <section
      className={classes.card}
      data-waiting={waiting || undefined}
      aria-label={waiting ? "Waiting room" : "Customer's computer"}
    >
      {waiting && <h3>Is this your customer?</h3>}
      <dl className={classes.facts}>
        <dt>Computer</dt>
        <dd>{guest.host_name || "–"}</dd>
        <dt>User</dt>
        <dd>{guest.user || "–"}</dd>
        <dt>System</dt>
        <dd>{guest.os_name || "–"}</dd>
        <dt>Address</dt>
        <dd className="mono">{guest.address}</dd>
        <dt>Came</dt>
        <dd>
          <TimeAgo at={guest.claimed_at} />
          {isLive(code) && !guest.online && " · not connected right now"}
        </dd>
      </dl>
      <Refusal error={accept.error ?? refuse.error} />
      {waiting && mine && (
        <div className={classes.actions}>
          <Button
            leftSection={<ConnectIcon size={18} />}
            loading={accept.isPending}
            onClick={() => accept.mutate()}
          >
            Accept and connect
          </Button>
          <Button variant="default" loading={refuse.isPending} onClick={() => refuse.mutate()}>
            Refuse
          </Button>
        </div>
      )}
      {letIn && mine && (
        <div className={classes.actions}>
          {guest.online ? (
            <Button component={Link} to={view} leftSection={<ConnectIcon size={18} />}>
              Connect
            </Button>
          ) : (
            <p className={classes.minor}>You can connect as soon as the computer is back.</p>
          )}
        </div>
      )}
      {isLive(code) && !mine && (
        <p className={classes.minor}>{code.technician || code.creator} takes care of this.</p>
      )}
    </section>
  );
}

/** The machine at which its user asks: it is connected to as at any other time. */
function MachineCard({
  code,
  machine,
  mine,
}: {
  code: SupportCode;
  machine: Guest;
  mine: boolean;
}) {
  const page = `/machines/${encodeURIComponent(machine.machine_id)}`;
  return (
    <section className={classes.card} aria-label="Machine">
      <dl className={classes.facts}>
        <dt>Machine</dt>
        <dd>
          <Link to={page}>{machine.host_name || "–"}</Link>
        </dd>
        <dt>User</dt>
        <dd>{machine.user || "–"}</dd>
        <dt>System</dt>
        <dd>{machine.os_name || "–"}</dd>
        <dt>Asked</dt>
        <dd>
          <TimeAgo at={machine.claimed_at} />
        </dd>
      </dl>
      {code.state === "accepted" && mine && (
        <div className={classes.actions}>
          <Button component={Link} to={`${page}/view`} leftSection={<ConnectIcon size={18} />}>
            Connect
          </Button>
        </div>
      )}
      {isLive(code) && !mine && (
        <p className={classes.minor}>{code.technician} takes care of this.</p>
      )}
    </section>
  );
}

function EndButton({ code }: { code: SupportCode }) {
  const api = useApi();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.cancelSupport(code.id),
    onSuccess: (ended) => putSupportCode(queries, ended),
  });
  return (
    <div className={classes.end}>
      <Button
        variant="default"
        size="compact-sm"
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        {endLabel(code)}
      </Button>
      <Refusal error={cancel.error} />
    </div>
  );
}

function endLabel(code: SupportCode): string {
  const early = code.state === "open" || code.state === "waiting";
  if (fromMachine(code)) return early ? "Dismiss" : "Mark as done";
  return early ? "Cancel the code" : "End the help";
}
