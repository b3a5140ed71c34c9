import type { Machine } from "@guruconnect/api";
import { Button, Skeleton } from "@mantine/core";
import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  sortFns,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type KeyboardEvent, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { ChevronIcon, ConnectIcon } from "../components/icons.tsx";
import { OsIcon } from "../components/OsIcon.tsx";
import { Presence, presenceOf } from "../components/Presence.tsx";
import { TimeAgo } from "../components/time.tsx";
import classes from "./MachineTable.module.css";
import { describeOs } from "./machines.ts";

/** Rows that are drawn at first; more follow on demand, so that a long list opens at once. */
const FIRST_ROWS = 200;

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFns.alphanumeric, basic: sortFns.basic },
});
const helper = createColumnHelper<typeof features, Machine>();
const RANK = { busy: 0, online: 1, offline: 2 };

const columns = helper.columns([
  helper.accessor((machine) => machine.name.toLowerCase(), {
    id: "name",
    header: "Machine",
    sortFn: "alphanumeric",
    cell: ({ row: { original: machine } }) => (
      <span className={classes.name}>
        <Presence machine={machine} />
        <span className={classes.nameText}>
          <Link
            to={`/machines/${machine.id}`}
            className={classes.link}
            data-row
            title={machine.name}
          >
            {machine.name}
          </Link>
          {machine.host_name !== machine.name && (
            <span className={classes.host}>{machine.host_name}</span>
          )}
        </span>
      </span>
    ),
  }),
  helper.accessor((machine) => RANK[presenceOf(machine)], {
    id: "state",
    header: "State",
    sortFn: "basic",
    cell: ({ row: { original: machine } }) => <MachineState machine={machine} />,
  }),
  helper.accessor((machine) => describeOs(machine).toLowerCase(), {
    id: "os",
    header: "System",
    sortFn: "alphanumeric",
    cell: ({ row: { original: machine } }) => (
      <span className={classes.os} title={describeOs(machine)}>
        <OsIcon family={machine.os_family} size={16} />
        <span>{describeOs(machine)}</span>
      </span>
    ),
  }),
  helper.accessor((machine) => machine.current_user?.toLowerCase() ?? "\uffff", {
    id: "user",
    header: "User",
    sortFn: "alphanumeric",
    cell: ({ row: { original: machine } }) => (
      <span title={machine.current_user ?? undefined}>{machine.current_user ?? "–"}</span>
    ),
  }),
  helper.accessor((machine) => machine.address ?? "\uffff", {
    id: "address",
    header: "Address",
    sortFn: "alphanumeric",
    cell: ({ row: { original: machine } }) => (
      <span className="mono" title={machine.address ?? undefined}>
        {machine.address ?? "–"}
      </span>
    ),
  }),
  helper.display({
    id: "connect",
    header: () => <span className={classes.hidden}>Connect</span>,
    cell: ({ row: { original: machine } }) =>
      machine.online && (
        <Button
          component={Link}
          to={`/machines/${machine.id}/view`}
          size="compact-sm"
          variant="light"
          className={classes.connect ?? ""}
          leftSection={<ConnectIcon size={15} />}
          aria-label={`Connect to ${machine.name}`}
        >
          Connect
        </Button>
      ),
  }),
]);

/** Sortable, with arrow keys to move, Enter to open and C to connect. */
export function MachineTable({ machines, compact }: { machines: Machine[]; compact: boolean }) {
  const { machineId } = useParams();
  const navigate = useNavigate();
  const [shown, setShown] = useState(FIRST_ROWS);
  const table = useTable({
    features,
    columns,
    data: machines,
    getRowId: (machine) => machine.id,
    initialState: {
      sorting: [
        { id: "state", desc: false },
        { id: "name", desc: false },
      ],
    },
  });
  const rows = table.getRowModel().rows;
  const visible = rows.slice(0, shown);

  const handleKey = (event: KeyboardEvent<HTMLElement>, machine: Machine) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const links = [
        ...(event.currentTarget.parentElement?.querySelectorAll<HTMLElement>("[data-row]") ?? []),
      ];
      const here = links.findIndex((link) => event.currentTarget.contains(link));
      links[here + step]?.focus();
    }
    if (event.key === "c" && machine.online) navigate(`/machines/${machine.id}/view`);
  };

  return (
    <>
      <table className={classes.table} data-compact={compact || undefined}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    data-column={header.column.id}
                    aria-sort={
                      sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined
                    }
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        className={classes.sort}
                        data-sorted={sorted || undefined}
                        onClick={header.column.getToggleSortingHandler()}
                      >
                        <table.FlexRender header={header} />
                        <ChevronIcon size={12} />
                      </button>
                    ) : (
                      <table.FlexRender header={header} />
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {visible.map((row) => (
            <tr
              key={row.id}
              aria-current={row.id === machineId ? "true" : undefined}
              data-offline={!row.original.online || undefined}
              onKeyDown={(event) => handleKey(event, row.original)}
              // The name is the link; the rest of its row is a larger target for it.
              onClick={(event) => {
                if (event.target instanceof Element && event.target.closest("a, button")) return;
                navigate(`/machines/${row.id}`);
              }}
            >
              {row.getAllCells().map((cell) => (
                <td key={cell.id} data-column={cell.column.id}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > visible.length && (
        <div className={classes.more}>
          <Button variant="default" onClick={() => setShown((count) => count + FIRST_ROWS * 5)}>
            Show more of {rows.length} machines
          </Button>
        </div>
      )}
    </>
  );
}

/** Who is on it, or since when it is gone. */
function MachineState({ machine }: { machine: Machine }) {
  if (machine.sessions.length > 0 && machine.online) {
    const names = [...new Set(machine.sessions.map((session) => session.technician))].join(", ");
    return (
      <span className={classes.busy} title={`In session: ${names}`}>
        In session: {names}
      </span>
    );
  }
  if (machine.online) return <span className={classes.online}>Online</span>;
  if (!machine.last_seen_at) return <span className={classes.away}>Never connected</span>;
  return (
    <span className={classes.away}>
      Seen <TimeAgo at={machine.last_seen_at} />
    </span>
  );
}

export function MachineTableSkeleton({ compact }: { compact: boolean }) {
  return (
    <div className={classes.skeleton} role="status" aria-label="Loading machines">
      {Array.from({ length: 8 }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity.
        <div key={row} className={classes.skeletonRow}>
          <Skeleton circle height={10} width={10} />
          <Skeleton height={12} width={`${34 + ((row * 17) % 30)}%`} />
          {!compact && <Skeleton height={12} width="20%" />}
        </div>
      ))}
    </div>
  );
}
