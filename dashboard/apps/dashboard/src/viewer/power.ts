import type { PowerAction } from "@guruconnect/api";

interface Words {
  /** In the menu, and on the button that does it. */
  label: string;
  /** What happens, before it does. */
  consequence: string;
  /** Unsaved work is lost for certain: takes the machine's name. */
  danger?: boolean;
}

/** What can be done to a machine, in words. */
export const POWER: Record<PowerAction, Words> = {
  lock: {
    label: "Lock the screen",
    consequence: "The person at the machine signs in again to go on working. Nothing is closed.",
  },
  log_off: {
    label: "Sign out",
    consequence: "The person at the machine is signed out. Programs may lose what was not saved.",
  },
  restart: {
    label: "Restart",
    consequence:
      "Programs are ended, also those with unsaved work. The viewer waits and comes back.",
  },
  shut_down: {
    label: "Shut down",
    consequence:
      "The machine is switched off. It is not reachable until somebody switches it on again.",
  },
  safe_mode: {
    label: "Restart into safe mode",
    consequence:
      "Without a network the machine is not reachable from here, so it restarts by itself, ordinarily, when the time is over.",
  },
  safe_mode_network: {
    label: "Restart into safe mode with network",
    consequence:
      "The viewer comes back in safe mode; the next restart is an ordinary one. If the machine cannot reach this server from there, it restarts by itself when the time is over.",
  },
  safe_mode_prompt: {
    label: "Restart into safe mode with command prompt",
    consequence:
      "As safe mode with network, with a command prompt instead of the desktop. If the machine cannot reach this server from there, it restarts by itself when the time is over.",
  },
  emergency_restart: {
    label: "Emergency restart",
    consequence:
      "The machine restarts at once, without telling any program: what is not saved is lost, and files that are being written may be damaged. For machines that do nothing else any more.",
    danger: true,
  },
};

/** As the menu shows them. */
export const POWER_GROUPS: PowerAction[][] = [
  ["lock", "log_off"],
  ["restart", "shut_down"],
  ["safe_mode_network", "safe_mode_prompt", "safe_mode"],
  ["emergency_restart"],
];

export const isSafeMode = (action: PowerAction) => action.startsWith("safe_mode");
