import { Button } from "@mantine/core";
import { useState } from "react";
import { BellIcon } from "../components/icons.tsx";
import classes from "./SupportPage.module.css";

/** Offers notifications, and asks the browser only after a click on the offer. */
export function Notifications() {
  const supported = "Notification" in window;
  const [permission, setPermission] = useState(supported ? Notification.permission : "denied");
  const [dismissed, setDismissed] = useState(false);
  if (!supported || permission !== "default" || dismissed) return null;
  return (
    <div className={classes.offer}>
      <BellIcon size={18} />
      <span>Be told when a customer waits or writes while you work elsewhere.</span>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => void Notification.requestPermission().then(setPermission)}
      >
        Turn on notifications
      </Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setDismissed(true)}>
        Not now
      </Button>
    </div>
  );
}
