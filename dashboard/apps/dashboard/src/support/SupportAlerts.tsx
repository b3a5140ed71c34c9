import type { SupportCode } from "@guruconnect/api";
import { useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";
import { useUser } from "../account/account.tsx";
import { useToast } from "../components/toasts.tsx";
import { asksForHelp, fromMachine, isFor, titleOf, useSupportCodes } from "./support.ts";

/** Says on every page, and outside of the browser where that is allowed, that a customer waits or wrote. */
export function SupportAlerts() {
  const user = useUser();
  const toast = useToast();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const codes = useSupportCodes().data?.items;
  const before = useRef<Map<string, SupportCode> | null>(null);

  useEffect(() => {
    if (!codes) return;
    const known = before.current;
    before.current = new Map(codes.map((code) => [code.id, code]));
    // What was there when the page was opened is in the list.
    if (!known) return;
    for (const code of codes) {
      const old = known.get(code.id);
      const page = `/support-codes/${encodeURIComponent(code.id)}`;
      const open = () => navigate(page);
      if (!isFor(code, user)) continue;
      if (code.state === "waiting" && !fromMachine(code) && old?.state !== "waiting") {
        const text = `${titleOf(code)} is in the waiting room`;
        // Whoever looks at the code sees the card.
        if (pathname !== page) toast(`${text}.`);
        notify(`waiting-${code.id}`, text, open);
      } else if (asksForHelp(code) && !old) {
        const text = `${titleOf(code)} asks for help`;
        if (pathname !== page) toast(`${text}.`);
        notify(`asks-${code.id}`, text, open);
      } else if ((code.last_guest_line ?? 0) > (old?.last_guest_line ?? 0)) {
        // What was written stays in the page: a notification may be on a projector.
        notify(`chat-${code.id}`, `${titleOf(code)} wrote`, open);
      }
    }
  }, [codes, user, toast, navigate, pathname]);
  return null;
}

/** Only while nobody looks at the page. */
function notify(tag: string, title: string, open: () => void): void {
  if (!document.hidden || !("Notification" in window)) return;
  if (Notification.permission !== "granted") return;
  try {
    const notification = new Notification(title, { tag, icon: "/favicon.svg" });
    notification.onclick = () => {
      window.focus();
      open();
      notification.close();
    };
  } catch {
    // Browsers on telephones have them only for installed pages.
  }
}
