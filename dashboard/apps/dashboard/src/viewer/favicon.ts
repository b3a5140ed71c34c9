import type { ConnectionState } from "@guruconnect/viewer";
import { useEffect } from "react";

const COLOR: Record<ConnectionState["kind"], string> = {
  connecting: "#8a9692",
  connected: "#4cc38a",
  reconnecting: "#f2b84b",
  ended: "#ef6a5b",
};

/** A tab among many shows by its icon how its session fares. */
export function useStateFavicon(state: ConnectionState["kind"]): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>("#favicon");
    if (!link) return;
    const before = link.href;
    link.href = `data:image/svg+xml,${encodeURIComponent(icon(COLOR[state]))}`;
    return () => {
      link.href = before;
    };
  }, [state]);
}

function icon(color: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b3330"/><path d="M23.6 10.4A9.4 9.4 0 1 0 25.4 16H17" fill="none" stroke="#7fd6c8" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round"/><circle cx="24" cy="24" r="7.5" fill="#0b3330"/><circle cx="24" cy="24" r="5.5" fill="${color}"/></svg>`;
}
