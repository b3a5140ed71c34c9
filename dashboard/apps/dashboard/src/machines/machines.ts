import type { Machine } from "@guruconnect/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../account/account.tsx";
import { type PresenceState, presenceOf } from "../components/Presence.tsx";

/** Every machine; the event stream keeps the list current. */
export function useMachines() {
  const api = useApi();
  return useQuery({
    queryKey: ["machines"],
    queryFn: ({ signal }) => api.machines(signal),
  });
}

export type Filter = "all" | PresenceState;

/** Every word of the search must be found somewhere in what the list shows. */
export function findMachines(machines: Machine[], search: string, filter: Filter): Machine[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return machines.filter((machine) => {
    const presence = presenceOf(machine);
    if (filter === "online" ? presence === "offline" : filter !== "all" && presence !== filter) {
      return false;
    }
    const text = searchText(machine);
    return words.every((word) => text.includes(word));
  });
}

function searchText(machine: Machine): string {
  return [
    machine.name,
    machine.host_name,
    machine.os_name,
    machine.os_version,
    machine.current_user,
    machine.address,
    machine.agent_version,
    ...machine.sessions.map((session) => session.technician),
  ]
    .join("\n")
    .toLowerCase();
}

/** "Windows 11 Pro 23H2": the version only where the name does not already say it. */
export function describeOs(machine: Machine): string {
  const { os_name: name, os_version: version } = machine;
  return version && !name.includes(version) ? `${name} ${version}` : name;
}
