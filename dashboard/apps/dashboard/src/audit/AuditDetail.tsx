import type { AuditEntry, AuditFilter } from "@guruconnect/api";
import { Button, Drawer } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { formatDateTime } from "../components/time.tsx";
import classes from "./AuditPage.module.css";
import { describeAction, describeActor, describeField, describeValue } from "./actions.ts";

/** Everything that is known about one entry. */
export function AuditDetail({
  entry,
  onClose,
  onFilter,
}: {
  entry: AuditEntry | null;
  onClose: () => void;
  onFilter: (filter: AuditFilter) => void;
}) {
  const filterBy = (filter: AuditFilter) => {
    onFilter(filter);
    onClose();
  };
  return (
    <Drawer
      opened={entry !== null}
      onClose={onClose}
      position="right"
      size="md"
      title={entry ? describeAction(entry.action) : ""}
    >
      {entry && (
        <div className={classes.detail}>
          <dl>
            <Row name="Time">{formatDateTime(entry.at)}</Row>
            <Row name="Action">
              <span className="mono">{entry.action}</span>
            </Row>
            <Row name="Who">
              {describeActor(entry)} ({entry.actor.kind})
            </Row>
            {entry.address && (
              <Row name="From">
                <span className="mono">{entry.address}</span>
              </Row>
            )}
            {entry.machine && (
              <Row name="Machine">
                <Link to={`/machines/${entry.machine.id}`}>
                  {entry.machine.name ?? entry.machine.id}
                </Link>
              </Row>
            )}
            {entry.session_id && (
              <Row name="Session">
                <span className="mono">{entry.session_id}</span>
              </Row>
            )}
            {Object.entries(entry.detail).map(([name, value]) => (
              <Row key={name} name={capital(describeField(name))}>
                {describeValue(name, value)}
              </Row>
            ))}
          </dl>
          <div className={classes.detailButtons}>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => filterBy({ action: entry.action })}
            >
              Only this action
            </Button>
            {entry.machine && (
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => filterBy({ machine_id: entry.machine?.id })}
              >
                Only this machine
              </Button>
            )}
            {entry.actor.kind === "user" && entry.actor.id && (
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => filterBy({ user_id: entry.actor.id ?? undefined })}
              >
                Only this user
              </Button>
            )}
          </div>
        </div>
      )}
    </Drawer>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
