import type { EnrolmentToken } from "@guruconnect/api";
import { Button, Modal, Skeleton, VisuallyHidden } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../account/account.tsx";
import { PlusIcon } from "../components/icons.tsx";
import panel from "../components/Panel.module.css";
import { Panel } from "../components/Panel.tsx";
import { ErrorState, errorSentence } from "../components/states.tsx";
import { formatDate, formatDateTime } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import { NewToken } from "../machines/NewToken.tsx";
import classes from "./SettingsPage.module.css";

/** What new machines enrol with. */
export function EnrolmentTokens() {
  const api = useApi();
  const queries = useQueryClient();
  const toast = useToast();
  const [creating, setCreating] = useState(false);
  const tokens = useQuery({
    queryKey: ["enrolment-tokens"],
    queryFn: ({ signal }) => api.enrolmentTokens(signal),
    staleTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => api.revokeEnrolmentToken(id),
    onSuccess: () => {
      toast("The token no longer works.");
      return queries.invalidateQueries({ queryKey: ["enrolment-tokens"] });
    },
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  return (
    <Panel
      title="Enrolment tokens"
      padded={false}
      action={
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<PlusIcon size={14} />}
          onClick={() => setCreating(true)}
        >
          New token
        </Button>
      }
    >
      {tokens.isPending && (
        <div className={panel.quiet} role="status" aria-label="Loading enrolment tokens">
          <Skeleton height={12} width="50%" />
        </div>
      )}
      {tokens.isError && !tokens.data && (
        <ErrorState error={tokens.error} onRetry={() => void tokens.refetch()} />
      )}
      {tokens.data?.length === 0 && (
        <p className={panel.quiet}>None. A new machine needs one to enrol.</p>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <table className={panel.table}>
          <thead>
            <tr>
              <th>For</th>
              <th>Used</th>
              <th>Expires</th>
              <th>
                <VisuallyHidden>Revoke</VisuallyHidden>
              </th>
            </tr>
          </thead>
          <tbody>
            {tokens.data.map((token) => (
              <tr key={token.id}>
                <td>
                  <span className={classes.device}>{token.name}</span>
                  <div className={classes.minor}>Created {formatDate(token.created_at)}</div>
                </td>
                <td className="num">{describeUses(token)}</td>
                <td className="num">{describeExpiry(token)}</td>
                <td>
                  <Button
                    size="compact-sm"
                    variant="default"
                    loading={revoke.isPending && revoke.variables === token.id}
                    onClick={() => revoke.mutate(token.id)}
                    aria-label={`Revoke the token for ${token.name}`}
                  >
                    Revoke
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Modal
        opened={creating}
        onClose={() => setCreating(false)}
        title="New enrolment token"
        size="lg"
      >
        <NewToken submitLabel="Create the token" />
      </Modal>
    </Panel>
  );
}

function describeUses(token: EnrolmentToken): string {
  if (!token.max_uses) return `${token.uses} times`;
  return `${token.uses} of ${token.max_uses}`;
}

function describeExpiry(token: EnrolmentToken): string {
  if (!token.expires_at) return "Never";
  const over = Date.parse(token.expires_at) < Date.now();
  return over ? "Expired" : formatDateTime(token.expires_at);
}
