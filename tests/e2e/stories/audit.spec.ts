import { expect, TECHNICIAN, test } from "../lib/stack";

test("a session stands in the audit log: who, what, which machine, how long", async ({
  page,
  stack,
  dashboard,
}) => {
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await viewer.isLive();
  await viewer.button("Disconnect").click();
  await expect(viewer.canvas).toHaveCount(0);

  await dashboard.open("/audit");

  const entry = page
    .getByRole("row")
    .filter({ hasText: stack.machine.name })
    .filter({ hasText: TECHNICIAN.display_name });
  await expect(entry.first()).toBeVisible();
  const { items } = await stack.server.api.call(
    "GET",
    `/api/sessions?machine_id=${stack.machine.id}`,
  );
  expect(items).toHaveLength(1);
  expect(items[0].ended_at).not.toBeNull();
  expect(items[0].bytes_transferred).toBeGreaterThan(1_000);
});
