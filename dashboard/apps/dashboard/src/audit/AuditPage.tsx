import type { AuditEntry, AuditFilter } from "@guruconnect/api";
import { Button, Menu, Select, Skeleton } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useApi } from "../account/account.tsx";
import { ChevronIcon, DownloadIcon } from "../components/icons.tsx";
import { EmptyState, ErrorState, errorSentence } from "../components/states.tsx";
import { formatDateTime } from "../components/time.tsx";
import { useToast } from "../components/toasts.tsx";
import { useMachines } from "../machines/machines.ts";
import { useTitle } from "../useTitle.ts";
import { AuditDetail } from "./AuditDetail.tsx";
import classes from "./AuditPage.module.css";
import { ACTION_OPTIONS, describeAction, describeActor, isSerious, summarise } from "./actions.ts";

const PAGE = 50;

/** Who did what, when, to which machine. */
export default function AuditPage() {
  useTitle("Audit");
  const api = useApi();
  const { filter, setFilter } = useFilter();
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const entries = useInfiniteQuery({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      api.audit({ ...filter, limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 0,
  });
  const items = entries.data?.pages.flatMap((page) => page.items);
  const filtered = Object.values(filter).some(Boolean);

  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <div className={classes.titleRow}>
          <h1>Audit log</h1>
          <div className={classes.buttons}>
            <Button
              variant="subtle"
              size="compact-md"
              loading={entries.isRefetching}
              onClick={() => void entries.refetch()}
            >
              Refresh
            </Button>
            <ExportMenu />
          </div>
        </div>
        <Filters filter={filter} setFilter={setFilter} items={items ?? []} />
      </header>
      <div className={classes.rows}>
        {entries.isPending && <AuditSkeleton />}
        {entries.isError && !items && (
          <ErrorState error={entries.error} onRetry={() => void entries.refetch()} />
        )}
        {items?.length === 0 && (
          <EmptyState
            title={filtered ? "Nothing matches these filters" : "Nothing has happened yet"}
            action={
              filtered && (
                <Button variant="default" onClick={() => setFilter({})}>
                  Clear the filters
                </Button>
              )
            }
          />
        )}
        {items && items.length > 0 && <AuditTable items={items} onOpen={setOpen} />}
        {entries.hasNextPage && (
          <div className={classes.more}>
            <Button
              variant="default"
              loading={entries.isFetchingNextPage}
              onClick={() => void entries.fetchNextPage()}
            >
              Show older
            </Button>
          </div>
        )}
      </div>
      <AuditDetail entry={open} onClose={() => setOpen(null)} onFilter={setFilter} />
    </div>
  );
}

/** The filter lives in the address, so that it can be bookmarked and shared. */
function useFilter() {
  const [params, setParams] = useSearchParams();
  const filter: AuditFilter = {
    action: params.get("action") ?? undefined,
    machine_id: params.get("machine") ?? undefined,
    user_id: params.get("user") ?? undefined,
  };
  const setFilter = (next: AuditFilter) => {
    const names = { action: next.action, machine: next.machine_id, user: next.user_id };
    const kept = Object.entries(names).filter((pair): pair is [string, string] => Boolean(pair[1]));
    setParams(new URLSearchParams(kept), { replace: true });
  };
  return { filter, setFilter };
}

function Filters({
  filter,
  setFilter,
  items,
}: {
  filter: AuditFilter;
  setFilter: (filter: AuditFilter) => void;
  items: AuditEntry[];
}) {
  const machines = useMachines();
  const machineNames = new Map(machines.data?.map((machine) => [machine.id, machine.name]));
  const userNames = new Map<string, string>();
  for (const { actor, machine } of items) {
    // Removed machines and users are only known from the log itself.
    if (machine && !machineNames.has(machine.id)) {
      machineNames.set(machine.id, machine.name ?? machine.id);
    }
    if (actor.kind === "user" && actor.id) userNames.set(actor.id, actor.name ?? actor.id);
  }
  if (filter.user_id && !userNames.has(filter.user_id)) {
    userNames.set(filter.user_id, filter.user_id);
  }
  if (filter.machine_id && !machineNames.has(filter.machine_id)) {
    machineNames.set(filter.machine_id, filter.machine_id);
  }
  const options = (names: Map<string, string>) =>
    [...names].map(([value, label]) => ({ value, label }));
  return (
    <div className={classes.filters}>
      <Select
        aria-label="Action"
        placeholder="Any action"
        data={ACTION_OPTIONS}
        clearable
        searchable
        value={filter.action ?? null}
        onChange={(action) => setFilter({ ...filter, action: action ?? undefined })}
      />
      <Select
        aria-label="Machine"
        placeholder="Any machine"
        data={options(machineNames)}
        limit={100}
        clearable
        searchable
        value={filter.machine_id ?? null}
        onChange={(id) => setFilter({ ...filter, machine_id: id ?? undefined })}
      />
      <Select
        aria-label="User"
        placeholder="Anyone"
        data={options(userNames)}
        clearable
        value={filter.user_id ?? null}
        onChange={(id) => setFilter({ ...filter, user_id: id ?? undefined })}
      />
    </div>
  );
}

function ExportMenu() {
  const api = useApi();
  const toast = useToast();
  const exporting = useMutation({
    mutationFn: async (format: "csv" | "json") => {
      save(await api.exportAudit(format), `guruconnect-audit-${today()}.${format}`);
    },
    onError: (error) => toast(errorSentence(error), "failed"),
  });
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button
          variant="default"
          size="compact-md"
          loading={exporting.isPending}
          leftSection={<DownloadIcon size={15} />}
          rightSection={<ChevronIcon size={14} />}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>The whole log</Menu.Label>
        <Menu.Item onClick={() => exporting.mutate("csv")}>CSV, for a spreadsheet</Menu.Item>
        <Menu.Item onClick={() => exporting.mutate("json")}>JSON, for a program</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function AuditTable({
  items,
  onOpen,
}: {
  items: AuditEntry[];
  onOpen: (entry: AuditEntry) => void;
}) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th data-column="at">Time</th>
          <th data-column="actor">Who</th>
          <th data-column="action">What</th>
          <th data-column="machine">Machine</th>
          <th data-column="detail">Details</th>
        </tr>
      </thead>
      <tbody>
        {items.map((entry) => (
          // The button in the row opens it too; the row is a larger target for it.
          <tr key={entry.id} onClick={() => onOpen(entry)}>
            <td data-column="at" className="num">
              {formatDateTime(entry.at)}
            </td>
            <td data-column="actor" title={describeActor(entry)}>
              {describeActor(entry)}
            </td>
            <td data-column="action">
              <button
                type="button"
                className={classes.open}
                data-serious={isSerious(entry.action) || undefined}
                onClick={(event) => {
                  event.stopPropagation();
                  onOpen(entry);
                }}
              >
                {describeAction(entry.action)}
              </button>
            </td>
            <td data-column="machine" title={entry.machine?.name ?? undefined}>
              {entry.machine?.name ?? "–"}
            </td>
            <td data-column="detail" title={summarise(entry)}>
              {summarise(entry)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AuditSkeleton() {
  return (
    <div className={classes.skeleton} role="status" aria-label="Loading the audit log">
      {Array.from({ length: 10 }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity.
        <Skeleton key={row} height={12} width={`${55 + ((row * 23) % 40)}%`} />
      ))}
    </div>
  );
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // After the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}

const today = () => new Date().toISOString().slice(0, 10);
