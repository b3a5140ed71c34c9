import { randomInt } from "node:crypto";
import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { openNotepad, startAgent, windowsFor } from "../../lib/windows-machine";

test("typed text arrives in Notepad on Windows", async ({ page, unclaimed }, testInfo) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed);
  const machine = await startAgent(windows, server);
  const place = await openNotepad(windows);
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
    /Reads the screen by: GDI \(desktop duplication: (not implemented|failed with code)/,
  );
  await testInfo.attach("notepad", { body: await page.screenshot(), contentType: "image/png" });
});
