import { isAdmin, useUser } from "../account/account.tsx";
import { EmptyState } from "../components/states.tsx";
import classes from "./FirstMachine.module.css";
import { NewToken } from "./NewToken.tsx";

/** In place of an empty list: how to fill it. */
export function FirstMachine() {
  if (!isAdmin(useUser())) {
    return <EmptyState title="No machines yet">An administrator can add the first one.</EmptyState>;
  }
  return (
    <div className={classes.first}>
      <svg viewBox="0 0 220 90" className={classes.picture} aria-hidden="true">
        <rect x="6" y="14" width="74" height="50" rx="6" />
        <path d="M32 80h22M43 64v16" />
        <path d="M92 39h36" strokeDasharray="3 7" className={classes.wire} />
        <circle cx="43" cy="39" r="5" className={classes.point} />
        <rect x="140" y="14" width="74" height="50" rx="6" strokeDasharray="5 5" />
        <path d="M166 80h22M177 64v16" strokeDasharray="5 5" />
        <path d="M177 31v16M169 39h16" />
      </svg>
      <h2>Add your first machine</h2>
      <p>
        A machine needs the small agent and a token to enrol with. Make one here: you get a command
        to run on the machine.
      </p>
      <div className={classes.form}>
        <NewToken />
      </div>
    </div>
  );
}
