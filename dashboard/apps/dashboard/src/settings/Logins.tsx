import { Button, Skeleton, VisuallyHidden } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../account/account.tsx";
import panel from "../components/Panel.module.css";
import { Panel } from "../components/Panel.tsx";
import { ErrorState, errorSentence } from "../components/states.tsx";
import { formatDateTime, TimeAgo } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import { describeBrowser } from "./browser.ts";
import classes from "./SettingsPage.module.css";

/** Where this account is signed in. */
export function Logins() {
  const api = useApi();
  const queries = useQueryClient();
  const toast = useToast();
  const logins = useQuery({
    queryKey: ["logins"],
    queryFn: ({ signal }) => api.logins(signal),
    staleTime: 0,
  });
  const revoke = useMutation({
    mutationFn: (id: string) => api.revokeLogin(id),
    onSuccess: () => {
      toast("The login has ended.");
      return queries.invalidateQueries({ queryKey: ["logins"] });
    },
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  return (
    <Panel title="Where you are signed in" padded={false}>
      {logins.isPending && (
        <div className={panel.quiet} role="status" aria-label="Loading logins">
          <Skeleton height={12} width="50%" />
        </div>
      )}
      {logins.isError && !logins.data && (
        <ErrorState error={logins.error} onRetry={() => void logins.refetch()} />
      )}
      {logins.data && (
        <table className={panel.table}>
          <thead>
            <tr>
              <th>Browser</th>
              <th>Last used</th>
              <th>Signed in</th>
              <th>
                <VisuallyHidden>End</VisuallyHidden>
              </th>
            </tr>
          </thead>
          <tbody>
            {logins.data.map((login) => (
              <tr key={login.id}>
                <td>
                  <span className={classes.device}>{describeBrowser(login.user_agent)}</span>
                  {login.current && <span className={classes.current}>this one</span>}
                  <div className={`${classes.minor} mono`}>{login.address ?? "–"}</div>
                </td>
                <td>
                  <TimeAgo at={login.last_used_at} />
                </td>
                <td className="num">{formatDateTime(login.created_at)}</td>
                <td>
                  {!login.current && (
                    <Button
                      size="compact-sm"
                      variant="default"
                      loading={revoke.isPending && revoke.variables === login.id}
                      onClick={() => revoke.mutate(login.id)}
                    >
                      End
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
