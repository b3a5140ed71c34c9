import { randomInt } from "node:crypto";
import { machineOnline } from "../../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";

test("typed text arrives in Notepad on Windows", async ({ page, unclaimed }, testInfo) => {
  const { server, folder } = unclaimed;
  await server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const windows = new WindowsDesktop(folder);
  unclaimed.stopAtTheEnd(windows);
  await windows.start();
  windows.run(
    "guruconnect-agent.exe",
    ...["--server", server.url, "--token", await server.api.enrolmentToken()],
    ...["--data-dir", "C:\\GuruConnect", "--log-level", "debug"],
  );
  windows.run("notepad");
  const machine = await machineOnline(server.api, { withinMs: 60_000 });
  const place = await until("Notepad", () => JSON.parse(windows.ask("place-notepad")), {
    withinMs: 60_000,
    everyMs: 500,
  });
  const viewer = await new Dashboard(page, server.url).openViewer(
    machine,
    TECHNICIAN,
    WindowsDesktop.size,
  );
  const text = `Random ${randomInt(1e9)}: Grüße, {ja} [x] tina@beispiel.de 3 €!`;

  await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
  await viewer.type(text, "german");

  await expect.poll(() => windows.ask("read-notepad").trimEnd(), { timeout: 60_000 }).toBe(text);
  // Wine has no desktop duplication: the agent finds out, and the technician can read why.
  await viewer.button("Statistics").click();
  await expect(page.getByRole("complementary", { name: "Statistics" })).toContainText(
    "Reads the screen by: GDI (desktop duplication: not implemented by this system)",
  );
  await testInfo.attach("notepad", { body: await page.screenshot(), contentType: "image/png" });
});
