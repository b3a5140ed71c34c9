// A Windows machine as an MSP has it: the agent is its service.

import { type Machine, machineOnline, type Server } from "../../../scripts/lib/guruconnect.mjs";
import { CLAIM_SECRET, type Stack, TECHNICIAN } from "./stack";
import { WindowsDesktop } from "./windows-desktop";

const AGENT = "guruconnect-agent.exe";

/** Claims the server and starts a Windows whose windows stand where a service finds them. */
export async function windowsFor(stack: Stack): Promise<WindowsDesktop> {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const windows = new WindowsDesktop(stack.folder);
  stack.stopAtTheEnd(windows);
  await windows.start({ plain: true });
  return windows;
}

/** Installs the agent with a new token, starts it, and waits until its server has it. */
export async function installService(windows: WindowsDesktop, server: Server): Promise<Machine> {
  const token = await server.api.enrolmentToken();
  windows.finish(AGENT, "install", "--server", server.url, "--token", token);
  windows.finish(AGENT, "start");
  return machineOnline(server.api, { withinMs: 60_000 });
}
