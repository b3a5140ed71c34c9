import type { ReactNode } from "react";
import classes from "./FrontDoor.module.css";
import { Mark } from "./Mark.tsx";

/** The page that somebody sees before they are signed in. */
export function FrontDoor({
  title,
  lead,
  children,
}: {
  title: string;
  lead: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={classes.page}>
      <header className={classes.side}>
        <div className={classes.brand}>
          <Mark size={44} />
          <span>GuruConnect</span>
        </div>
        <svg className={classes.rings} viewBox="0 0 400 400" aria-hidden="true">
          {[60, 105, 150, 195, 240].map((radius) => (
            <circle key={radius} cx="200" cy="200" r={radius} />
          ))}
          <path d="M200 200h195" />
        </svg>
        <p className={classes.motto}>Remote support that stays in your house.</p>
      </header>
      <main className={classes.form}>
        <div className={classes.inner}>
          <h1>{title}</h1>
          <div className={classes.lead}>{lead}</div>
          {children}
        </div>
      </main>
    </div>
  );
}
