import { machineOnline } from "../../../scripts/lib/guruconnect.mjs";
import { expect, TECHNICIAN, test } from "../lib/stack";

interface AuditEntry {
  id: string;
  action: string;
}

test("a killed server comes back, and the session with it", async ({ stack, dashboard }) => {
  await stack.workload("picture", "--seed", "1");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await expect.poll(() => viewer.differencesFromKnownPicture(1)).toEqual({ count: 0 });
  const before: AuditEntry[] = (await stack.server.api.call("GET", "/api/audit?limit=200")).items;

  await stack.server.kill();
  await stack.workload("picture", "--seed", "2");
  const restarted = performance.now();
  await stack.server.start();

  await expect
    .poll(() => viewer.differencesFromKnownPicture(2), { timeout: 10_000, intervals: [50] })
    .toEqual({ count: 0 });
  const took = performance.now() - restarted;
  await viewer.isLive();
  console.log(`      server started again to the right picture: ${took.toFixed(0)} ms`);
  expect(took, "milliseconds from the start of the server to the right picture").toBeLessThan(
    5_000,
  );

  await stack.server.api.signIn(TECHNICIAN.username, TECHNICIAN.password);
  const after: AuditEntry[] = (await stack.server.api.call("GET", "/api/audit?limit=200")).items;
  expect(after.map(({ id }) => id)).toEqual(expect.arrayContaining(before.map(({ id }) => id)));
  expect(before.map(({ action }) => action)).toContain("session.started");
});

test("a killed agent is noticed at once, and is back when it returns", async ({
  stack,
  dashboard,
}) => {
  await stack.workload("picture", "--seed", "3");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await viewer.isLive();

  await stack.agent.kill();
  await expect(viewer.says(/The machine/)).toBeVisible({ timeout: 2_000 });

  stack.agent.start();
  await machineOnline(stack.server.api, { agent: stack.agent });
  await viewer.isLive();
  await expect.poll(() => viewer.differencesFromKnownPicture(3)).toEqual({ count: 0 });
});

test("a cut line is mended without the technician", async ({ page, stack }) => {
  const link = await stack.slowLink();
  const { Dashboard } = await import("../lib/dashboard");
  const dashboard = new Dashboard(page, `http://127.0.0.1:${link.port}`);
  await stack.workload("picture", "--seed", "4");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await viewer.isLive();

  link.cut();
  await expect(viewer.canvas).not.toHaveCSS("opacity", "1");

  await viewer.isLive();
  await expect.poll(() => viewer.differencesFromKnownPicture(4)).toEqual({ count: 0 });
});
