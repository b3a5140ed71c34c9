import { machineOnline } from "../../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../../scripts/lib/processes.mjs";
import { expect, test } from "../../lib/stack";
import { installService, windowsFor } from "../../lib/windows-machine";

test("a machine that is installed anew, or whose key was revoked, is the same machine", async ({
  unclaimed,
}) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed, { plain: true });
  const first = await installService(windows, server);
  const known = async () => {
    const [machine, ...others] = await server.api.machines();
    expect(others, "no second entry").toHaveLength(0);
    return machine;
  };
  const gone = () =>
    until("the machine to be gone", async () => !(await known())?.online, { withinMs: 20_000 });

  // Nothing is left of it, and the entry is found again by what the machine is.
  windows.finish("guruconnect-agent.exe", "uninstall");
  await gone();
  expect((await installService(windows, server)).id).toBe(first.id);
  const reinstalled = await known();

  // Its keys stay: a double click makes it the service that it was.
  windows.finish("guruconnect-agent.exe", "uninstall", "--keep-data");
  await gone();
  expect(windows.finish("guruconnect-agent.exe")).toMatch(/Installed .*[\s\S]*Started/);
  await machineOnline(server.api, { id: first.id, withinMs: 60_000 });

  // Whoever revoked its key takes it in again with a token, and viewers know it still.
  await server.api.call("POST", `/api/machines/${first.id}/revoke-key`);
  await gone();
  expect((await installService(windows, server)).id).toBe(first.id);
  expect((await known())?.agent_public_key).toBe(reinstalled?.agent_public_key);
});
