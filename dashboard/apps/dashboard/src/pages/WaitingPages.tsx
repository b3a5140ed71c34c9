import { Button } from "@mantine/core";
import { useAccount } from "../account/account.tsx";
import { Mark } from "../shell/Mark.tsx";
import classes from "./WaitingPages.module.css";

/** While the page finds out who is there. */
export function StartingPage() {
  return (
    <div className={classes.page} role="status" aria-label="Loading">
      <span className={classes.pulse}>
        <Mark size={56} />
      </span>
    </div>
  );
}

/** Before anything could be loaded. Asks again by itself. */
export function UnreachablePage() {
  const { retry } = useAccount();
  return (
    <div className={classes.page}>
      <Mark size={56} />
      <h1>The server cannot be reached</h1>
      <p role="status">
        It may be restarting, or your network may be down. This page keeps trying and goes on by
        itself.
      </p>
      <Button variant="default" onClick={retry}>
        Try now
      </Button>
    </div>
  );
}
