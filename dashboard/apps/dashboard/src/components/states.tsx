import { ApiError, isUnreachable } from "@guruconnect/api";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { WarningIcon } from "./icons.tsx";
import classes from "./states.module.css";

/** What went wrong, in words for a person. */
export function errorSentence(error: unknown): string {
  if (isUnreachable(error)) return "The server cannot be reached right now.";
  if (error instanceof ApiError) return error.message;
  return "Something unexpected went wrong in this page.";
}

/** In place of content that could not be loaded. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className={classes.state} role="alert">
      <WarningIcon size={28} />
      <p className={classes.title}>This could not be loaded</p>
      <p className={classes.text}>{errorSentence(error)}</p>
      <Button variant="default" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** In place of content that does not exist. */
export function EmptyState({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={classes.state}>
      <p className={classes.title}>{title}</p>
      {children && <div className={classes.text}>{children}</div>}
      {action}
    </div>
  );
}

/** A refusal beside the form or button that caused it. */
export function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <p className={classes.refusal} role="alert">
      {errorSentence(error)}
    </p>
  );
}
