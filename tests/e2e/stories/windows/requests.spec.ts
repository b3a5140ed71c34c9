import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { installService, openNotepad, windowsFor } from "../../lib/windows-machine";

test("a user of the service asks in the window, is taken, and nothing stays behind", async ({
  page,
  unclaimed,
}, testInfo) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed, { plain: true });
  // It takes the focus when it opens, and is not to do that later.
  await openNotepad(windows);
  await installService(windows, server);
  const icons = () => windows.processes((words) => words.includes("tray"));
  await until("the icon", () => icons().length === 1, { withinMs: 30_000, everyMs: 200 });
  const dashboard = new Dashboard(page, server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  const window = () => windows.ask("read-guest");

  windows.run("C:\\Program Files\\GuruConnect\\guruconnect-agent.exe", "request-support");
  await expect.poll(window, { timeout: 30_000 }).toContain("Ask for help");
  windows.hand("type", "--delay", "20", "It does not print");
  windows.hand("key", "Return");

  await expect.poll(window, { timeout: 20_000 }).toContain("Your support has been told");
  await testInfo.attach("asked", { body: windows.picture(), contentType: "image/png" });
  await page.getByRole("link", { name: /Asks for help/ }).click();
  await expect(page.getByRole("region", { name: "Chat" })).toContainText("It does not print");
  await page.getByRole("button", { name: "Take" }).click();
  await page.getByLabel("Message to the customer").fill("I will look at it");
  await page.keyboard.press("Enter");
  await expect
    .poll(window, { timeout: 20_000 })
    .toMatch(/Tina Technician takes care of it[\s\S]*I will look at it/);
  await testInfo.attach("taken", { body: windows.picture(), contentType: "image/png" });

  const close = JSON.parse(windows.ask("place-guest", "Close"));
  windows.hand("mousemove", `${close.x + 10}`, `${close.y + 10}`, "click", "1");
  await expect.poll(window).toBe("");
  // The icon goes with the service, and nothing stays behind.
  windows.finish("guruconnect-agent.exe", "uninstall");
  await until("the icon's end", () => icons().length === 0, { withinMs: 20_000, everyMs: 200 });
});
