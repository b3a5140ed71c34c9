import { isAdmin, useUser } from "../account/account.tsx";
import { useTitle } from "../useTitle.ts";
import { EnrolmentTokens } from "./EnrolmentTokens.tsx";
import { Logins } from "./Logins.tsx";
import { Notices } from "./Notices.tsx";
import { Password } from "./Password.tsx";
import classes from "./SettingsPage.module.css";

export function SettingsPage() {
  useTitle("Settings");
  const user = useUser();
  return (
    <div className={classes.page}>
      <h1>Settings</h1>
      {isAdmin(user) && <EnrolmentTokens />}
      <Logins />
      <Password />
      {isAdmin(user) && <Notices />}
    </div>
  );
}
