import { readFileSync } from "node:fs";
import { Dashboard } from "../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../lib/stack";

interface AuditEntry {
  action: string;
  detail: Record<string, unknown>;
}

test("a technician restarts a machine into safe mode, and in an emergency by its name", async ({
  page,
  unclaimed,
}, testInfo) => {
  const { server } = unclaimed;
  await server.api.claim(CLAIM_SECRET, TECHNICIAN);
  // The machine says in its log what it would do.
  await unclaimed.addMachine(["--power-dry-run"]);
  const { machine } = unclaimed;
  const viewer = await new Dashboard(page, server.url).openViewer(machine, TECHNICIAN);
  const choose = async (name: string) => {
    await viewer.button("Machine").click();
    await page.getByRole("menuitem", { name, exact: true }).click();
  };
  const machineSays = () =>
    unclaimed
      .logs()
      .filter((file) => file.includes("agent"))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");

  await choose("Restart into safe mode with network…");
  await page.getByLabel("Minutes until it restarts by itself").fill("10");
  await testInfo.attach("safe mode", { body: await page.screenshot(), contentType: "image/png" });
  await viewer.button("Restart into safe mode with network").click();
  await expect.poll(machineSays).toContain("safe_mode_network");
  await choose("Emergency restart…");
  await expect(viewer.button("Emergency restart")).toBeDisabled();
  await page.getByRole("textbox", { name: /to confirm/ }).fill(machine.name);
  await viewer.button("Emergency restart").click();
  await expect.poll(machineSays).toContain("emergency_restart");

  await viewer.isLive();
  const audit: AuditEntry[] = (await server.api.call("GET", "/api/audit?action=machine.power"))
    .items;
  expect(audit.map(({ detail }) => detail.action)).toEqual([
    "emergency_restart",
    "safe_mode_network",
  ]);
});
