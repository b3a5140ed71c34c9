// A Windows machine with the agent on it: as its service, or as a program of its user.

import { type Machine, machineOnline, type Server } from "../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../scripts/lib/processes.mjs";
import { CLAIM_SECRET, type Stack, TECHNICIAN } from "./stack";
import { WindowsDesktop } from "./windows-desktop";

const AGENT = "guruconnect-agent.exe";

/** Claims the server and starts a Windows. `plain`: as a service needs it. */
export async function windowsFor(
  stack: Stack,
  start: { plain?: boolean; monitors?: string } = {},
): Promise<WindowsDesktop> {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const windows = new WindowsDesktop(stack.folder);
  stack.stopAtTheEnd(windows);
  await windows.start(start);
  return windows;
}

/** Where an agent of the user keeps what it knows. */
export const DATA = ["--data-dir", "C:\\GuruConnect"];

/** Starts the agent as a program of the user, and waits until its server has it. */
export async function startAgent(windows: WindowsDesktop, server: Server): Promise<Machine> {
  const token = await server.api.enrolmentToken();
  const enrol = ["--server", server.url, "--token", token];
  windows.run(AGENT, ...enrol, ...DATA, "--log-level", "debug");
  return machineOnline(server.api, { withinMs: 60_000 });
}

/** Installs the agent with a new token, starts it, and waits until its server has it. */
export async function installService(
  windows: WindowsDesktop,
  server: Server,
  ...options: string[]
): Promise<Machine> {
  const token = await server.api.enrolmentToken();
  windows.finish(AGENT, "install", "--server", server.url, "--token", token, ...options);
  windows.finish(AGENT, "start");
  return machineOnline(server.api, { withinMs: 60_000 });
}

/** Opens Notepad; where its text is on the screen. */
export async function openNotepad(windows: WindowsDesktop): Promise<Place> {
  windows.run("notepad");
  return until("Notepad", (): Place => JSON.parse(windows.ask("place-notepad")), {
    withinMs: 60_000,
    everyMs: 500,
  });
}

interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}
