import { CloseButton } from "@mantine/core";
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import classes from "./toasts.module.css";

interface Toast {
  id: number;
  text: string;
  tone: "done" | "failed";
}

const ToastContext = createContext<(text: string, tone?: Toast["tone"]) => void>(() => {});

const SHOWN_MS = 5_000;
let nextId = 1;

/** Short confirmations in a corner, read aloud by screen readers. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const remove = useCallback((id: number) => {
    setToasts((current) => current.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback(
    (text: string, tone: Toast["tone"] = "done") => {
      const id = nextId++;
      setToasts((current) => [...current.slice(-2), { id, text, tone }]);
      setTimeout(() => remove(id), SHOWN_MS);
    },
    [remove],
  );
  return (
    <ToastContext value={show}>
      {children}
      <div className={classes.corner} aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={classes.toast} data-tone={toast.tone}>
            <span>{toast.text}</span>
            <CloseButton size="sm" aria-label="Dismiss" onClick={() => remove(toast.id)} />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

export const useToast = () => useContext(ToastContext);
