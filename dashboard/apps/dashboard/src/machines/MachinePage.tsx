import { ApiError, type Machine } from "@guruconnect/api";
import { ActionIcon, Button, Menu, Skeleton, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { isAdmin, useApi, useUser } from "../account/account.tsx";
import {
  BackIcon,
  ConnectIcon,
  KeyIcon,
  MoreIcon,
  NewWindowIcon,
  PencilIcon,
  TrashIcon,
} from "../components/icons.tsx";
import { OsIcon } from "../components/OsIcon.tsx";
import { Presence } from "../components/Presence.tsx";
import { EmptyState, ErrorState } from "../components/states.tsx";
import { TimeAgo } from "../components/time.tsx";
import { useTitle } from "../useTitle.ts";
import { MachineFacts } from "./MachineFacts.tsx";
import classes from "./MachinePage.module.css";
import { RemoveMachine, RenameMachine, RevokeMachineKey } from "./machineDialogs.tsx";
import { describeOs, useMachines } from "./machines.ts";
import { RunningSessions, SessionHistory } from "./Sessions.tsx";

/** One machine: what it is, who is on it, what was done, and the way in. */
export function MachinePage() {
  const { machineId = "" } = useParams();
  const machine = useMachine(machineId);
  if (machine.data) return <MachineDetail key={machineId} machine={machine.data} />;
  if (machine.isPending) return <MachineSkeleton />;
  if (machine.error instanceof ApiError && machine.error.status === 404) {
    return (
      <EmptyState
        title="This machine does not exist"
        action={
          <Button component={Link} to="/" variant="default">
            To the machines
          </Button>
        }
      >
        It may have been removed.
      </EmptyState>
    );
  }
  return <ErrorState error={machine.error} onRetry={() => void machine.refetch()} />;
}

/** From the live list where it is loaded; else asked for alone. */
function useMachine(id: string) {
  const api = useApi();
  const machines = useMachines();
  const listed = machines.data?.find((machine) => machine.id === id);
  const alone = useQuery({
    queryKey: ["machine", id],
    queryFn: ({ signal }) => api.machine(id, signal),
    enabled: !listed && !machines.isPending,
  });
  return {
    data: listed ?? (machines.isSuccess ? undefined : alone.data),
    isPending: machines.isPending || (alone.isPending && alone.fetchStatus !== "idle"),
    error: alone.error ?? machines.error,
    refetch: alone.refetch,
  };
}

function MachineDetail({ machine }: { machine: Machine }) {
  useTitle(machine.name);
  const admin = isAdmin(useUser());
  const [dialog, setDialog] = useState<"rename" | "revoke" | "remove" | null>(null);
  const closeDialog = () => setDialog(null);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <ActionIcon
          component={Link}
          to="/"
          variant="subtle"
          color="gray"
          size="lg"
          className={classes.back ?? ""}
          aria-label="Back to the machines"
        >
          <BackIcon />
        </ActionIcon>
        <span className={classes.system}>
          <OsIcon family={machine.os_family} size={26} />
        </span>
        <div className={classes.title}>
          <h1 title={machine.name}>{machine.name}</h1>
          <p className={classes.subtitle}>
            <Presence machine={machine} />
            <StatusLine machine={machine} />
          </p>
        </div>
        <div className={classes.actions}>
          <ConnectButtons machine={machine} />
          <Menu position="bottom-end" width={220} shadow="md">
            <Menu.Target>
              <ActionIcon variant="default" size={36} aria-label="More actions">
                <MoreIcon />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<PencilIcon size={16} />} onClick={() => setDialog("rename")}>
                Rename…
              </Menu.Item>
              {admin && (
                <>
                  <Menu.Item
                    leftSection={<KeyIcon size={16} />}
                    onClick={() => setDialog("revoke")}
                  >
                    Revoke its key…
                  </Menu.Item>
                  <Menu.Divider />
                  <Menu.Item
                    color="red"
                    leftSection={<TrashIcon size={16} />}
                    onClick={() => setDialog("remove")}
                  >
                    Remove…
                  </Menu.Item>
                </>
              )}
            </Menu.Dropdown>
          </Menu>
        </div>
      </header>
      <RunningSessions machine={machine} />
      <MachineFacts machine={machine} />
      <SessionHistory machineId={machine.id} />
      {dialog === "rename" && <RenameMachine machine={machine} onClose={closeDialog} />}
      {dialog === "revoke" && <RevokeMachineKey machine={machine} onClose={closeDialog} />}
      {dialog === "remove" && <RemoveMachine machine={machine} onClose={closeDialog} />}
    </div>
  );
}

function ConnectButtons({ machine }: { machine: Machine }) {
  const to = `/machines/${machine.id}/view`;
  if (!machine.online) {
    return (
      <Tooltip label="The machine is offline. It appears here as soon as it is back.">
        <Button
          size="sm"
          leftSection={<ConnectIcon size={16} />}
          data-disabled
          aria-disabled="true"
          onClick={(event) => event.preventDefault()}
        >
          Connect
        </Button>
      </Tooltip>
    );
  }
  return (
    <Button.Group>
      <Button component={Link} to={to} leftSection={<ConnectIcon size={16} />}>
        Connect
      </Button>
      <Tooltip label="Connect in a new window">
        <Button
          component="a"
          href={to}
          target="_blank"
          rel="noopener"
          px={9}
          className={classes.newWindow ?? ""}
          aria-label="Connect in a new window"
        >
          <NewWindowIcon size={16} />
        </Button>
      </Tooltip>
    </Button.Group>
  );
}

function StatusLine({ machine }: { machine: Machine }) {
  const parts = [describeOs(machine), machine.current_user && `User ${machine.current_user}`];
  return (
    <span>
      {machine.online ? (
        "Online"
      ) : machine.last_seen_at ? (
        <>
          Offline, seen <TimeAgo at={machine.last_seen_at} />
        </>
      ) : (
        "Never connected"
      )}
      {parts.filter(Boolean).map((part) => (
        <span key={part}> · {part}</span>
      ))}
    </span>
  );
}

function MachineSkeleton() {
  return (
    <div className={classes.page} role="status" aria-label="Loading the machine">
      <Skeleton height={44} width="50%" />
      <Skeleton height={180} />
      <Skeleton height={140} />
    </div>
  );
}
