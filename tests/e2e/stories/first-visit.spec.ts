import { Dashboard } from "../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../lib/stack";

test("a fresh server is claimed once, with the secret of its console", async ({
  page,
  unclaimed,
}) => {
  const dashboard = new Dashboard(page, unclaimed.server.url);

  await dashboard.open();
  await dashboard.claim("not the secret of the console", TECHNICIAN);
  await expect(page.getByText("This is not the secret on the console.")).toBeVisible();
  await dashboard.claim(CLAIM_SECRET, TECHNICIAN);
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();

  const again = unclaimed.server.api.claim(CLAIM_SECRET, { ...TECHNICIAN, username: "mallory" });
  await expect(again).rejects.toThrow(/already_claimed/);
});

test("a technician signs in, with the right password only", async ({ page, stack, dashboard }) => {
  await dashboard.open();
  await dashboard.signIn({ ...TECHNICIAN, password: "a wrong password 1" });
  await expect(page.getByRole("alert")).toContainText(/password/i);

  await dashboard.signIn(TECHNICIAN);

  await expect(dashboard.machineRow(stack.machine.name)).toContainText("Online");
});

test("a machine that goes away is shown as away without reloading", async ({
  stack,
  dashboard,
}) => {
  await dashboard.open();
  await dashboard.signIn(TECHNICIAN);
  const row = dashboard.machineRow(stack.machine.name);
  await expect(row).toContainText("Online");

  await stack.agent.stop();

  await expect(row).not.toContainText("Online");
  await expect(row).toContainText("Seen");
});
