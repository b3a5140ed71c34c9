import type { Account } from "@guruconnect/api";
import { Button, Menu, Skeleton, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi, useUser } from "../account/account.tsx";
import { MoreIcon, PlusIcon } from "../components/icons.tsx";
import panel from "../components/Panel.module.css";
import { Panel } from "../components/Panel.tsx";
import { ErrorState, errorSentence } from "../components/states.tsx";
import { formatDate } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import { useTitle } from "../useTitle.ts";
import classes from "./PeoplePage.module.css";
import { AddPerson, ChangePerson, DisablePerson, ResetPassword } from "./personDialogs.tsx";
import { describeRole } from "./roles.ts";

type Dialog = { kind: "add" } | { kind: "change" | "password" | "disable"; person: Account } | null;

/** Who can sign in, and as what. For administrators. */
export default function PeoplePage() {
  useTitle("People");
  const api = useApi();
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = () => setDialog(null);
  const people = useQuery({
    queryKey: ["people"],
    queryFn: ({ signal }) => api.people(signal),
    staleTime: 0,
  });
  return (
    <div className={classes.page}>
      <h1>People</h1>
      <Panel
        title="Who can sign in"
        padded={false}
        action={
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<PlusIcon size={14} />}
            onClick={() => setDialog({ kind: "add" })}
          >
            Add somebody
          </Button>
        }
      >
        {people.isPending && (
          <div className={panel.quiet} role="status" aria-label="Loading people">
            <Skeleton height={12} width="50%" />
          </div>
        )}
        {people.isError && !people.data && (
          <ErrorState error={people.error} onRetry={() => void people.refetch()} />
        )}
        {people.data && <People people={people.data} onAsk={setDialog} />}
      </Panel>
      {dialog?.kind === "add" && <AddPerson onClose={close} />}
      {dialog?.kind === "change" && <ChangePerson person={dialog.person} onClose={close} />}
      {dialog?.kind === "password" && <ResetPassword person={dialog.person} onClose={close} />}
      {dialog?.kind === "disable" && <DisablePerson person={dialog.person} onClose={close} />}
    </div>
  );
}

function People({ people, onAsk }: { people: Account[]; onAsk: (dialog: Dialog) => void }) {
  const me = useUser();
  return (
    <table className={panel.table}>
      <thead>
        <tr>
          <th>Name</th>
          <th>Role</th>
          <th>Since</th>
          <th>
            <VisuallyHidden>What to do</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody>
        {people.map((person) => (
          <tr key={person.id} data-disabled={person.disabled_at !== null || undefined}>
            <td>
              <span className={classes.name}>{person.display_name}</span>
              {person.id === me.id && <span className={classes.mark}>you</span>}
              {person.disabled_at && <span className={classes.off}>cannot sign in</span>}
              <div className={classes.minor}>{person.username}</div>
            </td>
            <td>{describeRole(person.role)}</td>
            <td className="num">{formatDate(person.created_at)}</td>
            <td>{person.id !== me.id && <PersonMenu person={person} onAsk={onAsk} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PersonMenu({ person, onAsk }: { person: Account; onAsk: (dialog: Dialog) => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const toast = useToast();
  const enable = useMutation({
    mutationFn: () => api.changePerson(person.id, { disabled: false }),
    onSuccess: () => {
      toast(`${person.display_name} can sign in again.`);
      return queries.invalidateQueries({ queryKey: ["people"] });
    },
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <UnstyledButton
          className={classes.more}
          aria-label={`What to do with ${person.display_name}`}
        >
          <MoreIcon size={18} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onAsk({ kind: "change", person })}>Name and role…</Menu.Item>
        <Menu.Item onClick={() => onAsk({ kind: "password", person })}>Set a password…</Menu.Item>
        {person.disabled_at ? (
          <Menu.Item onClick={() => enable.mutate()}>Let them sign in again</Menu.Item>
        ) : (
          <Menu.Item color="red" onClick={() => onAsk({ kind: "disable", person })}>
            Take their access away…
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
