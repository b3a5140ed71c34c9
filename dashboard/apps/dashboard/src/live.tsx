import {
  type ChatLine,
  EventStream,
  type LiveEvent,
  type LiveState,
  type Machine,
  type SupportCode,
  type SupportCodes,
} from "@guruconnect/api";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useApi } from "./account/account.tsx";

interface LiveValue {
  state: LiveState;
  retryNow: () => void;
}

const LiveContext = createContext<LiveValue>({ state: "connecting", retryNow: () => {} });

/** Keeps every list on the page up to date from the server's event stream. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const api = useApi();
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  const stream = useRef<EventStream | null>(null);

  useEffect(() => {
    const opened = new EventStream(api, {
      onEvent: (event) => applyLiveEvent(queries, event),
      onState: setState,
    });
    stream.current = opened;
    return () => opened.close();
  }, [api, queries]);

  const retryNow = useCallback(() => stream.current?.retryNow(), []);
  const value = useMemo(() => ({ state, retryNow }), [state, retryNow]);
  return <LiveContext value={value}>{children}</LiveContext>;
}

export const useLive = () => useContext(LiveContext);

/** Puts what happened into the lists that are loaded. */
export function applyLiveEvent(queries: QueryClient, event: LiveEvent): void {
  switch (event.kind) {
    case "machine":
      queries.setQueryData<Machine[]>(["machines"], (machines) =>
        machines ? upsert(machines, event.machine) : machines,
      );
      break;
    case "machine_removed":
      queries.setQueryData<Machine[]>(["machines"], (machines) =>
        machines?.filter((machine) => machine.id !== event.id),
      );
      break;
    case "session":
      void queries.invalidateQueries({ queryKey: ["sessions", event.session.machine_id] });
      break;
    case "support_code":
      putSupportCode(queries, event.code);
      break;
    case "chat":
      queries.setQueryData<ChatLine[]>(["chat", event.line.support_code_id], (lines) =>
        lines && !lines.some(({ id }) => id === event.line.id) ? [...lines, event.line] : lines,
      );
      if (event.line.from_guest) noteGuestLine(queries, event.line);
      break;
    case "resync":
      void queries.invalidateQueries({ queryKey: ["support-codes"] });
      void queries.invalidateQueries({ queryKey: ["chat"] });
      void queries.invalidateQueries({ queryKey: ["machines"] });
      void queries.invalidateQueries({ queryKey: ["sessions"] });
      break;
  }
}

/** Puts a support code that was made or changed into the list. */
export function putSupportCode(queries: QueryClient, code: SupportCode): void {
  // An answer that is on its way may be older than this.
  if (!queries.getQueryData(["support-codes"])) {
    void queries.invalidateQueries({ queryKey: ["support-codes"] });
  }
  queries.setQueryData<SupportCodes>(["support-codes"], (codes) => {
    if (!codes) return codes;
    const index = codes.items.findIndex(({ id }) => id === code.id);
    const items = index < 0 ? [code, ...codes.items] : codes.items.with(index, code);
    return { ...codes, items };
  });
}

function noteGuestLine(queries: QueryClient, line: ChatLine): void {
  queries.setQueryData<SupportCodes>(["support-codes"], (codes) => {
    const code = codes?.items.find(({ id }) => id === line.support_code_id);
    if (!codes || !code) return codes;
    const items = codes.items.map((item) =>
      item === code ? { ...code, last_guest_line: line.id } : item,
    );
    return { ...codes, items };
  });
}

function upsert(machines: Machine[], changed: Machine): Machine[] {
  const index = machines.findIndex((machine) => machine.id === changed.id);
  return index < 0 ? [...machines, changed] : machines.with(index, changed);
}
