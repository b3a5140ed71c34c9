import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { type KeyboardEvent, useDeferredValue, useMemo, useRef, useState } from "react";
import { Outlet, useParams } from "react-router";
import { isAdmin, useUser } from "../account/account.tsx";
import { PlusIcon, SearchIcon } from "../components/icons.tsx";
import { presenceOf } from "../components/Presence.tsx";
import { EmptyState, ErrorState } from "../components/states.tsx";
import { useTitle } from "../useTitle.ts";
import { AddMachine } from "./AddMachine.tsx";
import { FirstMachine } from "./FirstMachine.tsx";
import classes from "./MachinesPage.module.css";
import { MachineTable, MachineTableSkeleton } from "./MachineTable.tsx";
import { type Filter, findMachines, useMachines } from "./machines.ts";

/** The list of machines; a machine opens beside it, on a phone in its place. */
export function MachinesPage() {
  useTitle("Machines");
  const { machineId } = useParams();
  const user = useUser();
  const machines = useMachines();
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [adding, setAdding] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useHotkeys([["/", () => searchField.current?.focus()]]);

  const sought = useDeferredValue(search);
  const all = machines.data;
  const found = useMemo(() => findMachines(all ?? [], sought, filter), [all, sought, filter]);
  const counts = useMemo(() => {
    const presences = (all ?? []).map(presenceOf);
    return {
      all: presences.length,
      online: presences.filter((presence) => presence !== "offline").length,
      busy: presences.filter((presence) => presence === "busy").length,
      offline: presences.filter((presence) => presence === "offline").length,
    };
  }, [all]);

  const focusList = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    list.current?.querySelector<HTMLElement>("[data-row]")?.focus();
  };
  const compact = machineId !== undefined;
  const empty = all?.length === 0;
  return (
    <div className={classes.page} data-detail={compact || undefined}>
      <section className={classes.list} aria-label="Machines">
        <header className={classes.header}>
          <div className={classes.titleRow}>
            <h1>Machines</h1>
            {isAdmin(user) && !empty && (
              <Button
                variant={compact ? "subtle" : "default"}
                size="compact-md"
                leftSection={<PlusIcon size={15} />}
                onClick={() => setAdding(true)}
              >
                Add
              </Button>
            )}
          </div>
          {!empty && (
            <div className={classes.tools}>
              <TextInput
                ref={searchField}
                className={classes.search ?? ""}
                type="search"
                aria-label="Search machines"
                placeholder={compact ? "Search" : "Search name, user, address, system…"}
                leftSection={<SearchIcon size={16} />}
                rightSection={search === "" ? <kbd className={classes.key}>/</kbd> : null}
                value={search}
                onChange={(event) => setSearch(event.currentTarget.value)}
                onKeyDown={focusList}
              />
              {!compact && (
                <SegmentedControl
                  size="xs"
                  aria-label="Show"
                  value={filter}
                  onChange={(value) => setFilter(value as Filter)}
                  data={[
                    { value: "all", label: `All ${counts.all}` },
                    { value: "online", label: `Online ${counts.online}` },
                    { value: "busy", label: `In session ${counts.busy}` },
                    { value: "offline", label: `Offline ${counts.offline}` },
                  ]}
                />
              )}
            </div>
          )}
        </header>
        <div className={classes.rows} ref={list}>
          {machines.isPending && <MachineTableSkeleton compact={compact} />}
          {machines.isError && !all && (
            <ErrorState error={machines.error} onRetry={() => void machines.refetch()} />
          )}
          {empty && <FirstMachine />}
          {all && !empty && found.length === 0 && (
            <EmptyState
              title="No machine matches"
              action={
                <Button
                  variant="default"
                  onClick={() => {
                    setSearch("");
                    setFilter("all");
                  }}
                >
                  Show all machines
                </Button>
              }
            />
          )}
          {found.length > 0 && <MachineTable machines={found} compact={compact} />}
        </div>
      </section>
      {compact && (
        <section className={classes.detail} aria-label="Machine">
          <Outlet />
        </section>
      )}
      <AddMachine opened={adding} onClose={() => setAdding(false)} />
    </div>
  );
}
