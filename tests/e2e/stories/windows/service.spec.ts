import { randomInt } from "node:crypto";
import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { installService, openNotepad, windowsFor } from "../../lib/windows-machine";

test("the service's worker is killed, Shift comes up, and the technician goes on typing", async ({
  page,
  unclaimed,
}, testInfo) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed, { plain: true });
  const oldKey = ["HKLM\\SOFTWARE\\GuruConnect", "/v", "ApiKey"];
  windows.finish("reg", "add", ...oldKey, "/d", "cak_of_an_earlier_installation", "/f");
  const machine = await installService(windows, server);
  const kept = windows.read("ProgramData/GuruConnect/agent.json").toString("latin1");
  expect(kept.startsWith("guruconnect protected"), "the keys are protected").toBe(true);
  expect(kept).not.toContain("cak_");
  expect(() => windows.finish("reg", "query", ...oldKey), "no key in the registry").toThrow();
  expect(windows.workers(), "nobody looks, so there is no worker").toHaveLength(0);
  const place = await openNotepad(windows);
  const viewer = await new Dashboard(page, server.url).openViewer(
    machine,
    TECHNICIAN,
    WindowsDesktop.size,
  );
  const [before, after] = [`Before ${randomInt(1e9)}. `, `After ${randomInt(1e9)}.`];
  await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
  await viewer.type(before, "german");
  await expect
    .poll(() => windows.ask("read-notepad"), { timeout: 60_000 })
    .toContain(before.trim());

  const shift = "0xa0";
  const keysDown = () => windows.ask("keys-down").split(/\s+/);
  await page.keyboard.down("Shift");
  await expect.poll(keysDown).toContain(shift);
  const [first] = windows.workers();
  if (first === undefined) throw new Error("the viewer is served by a worker");
  process.kill(first, "SIGKILL");

  await until("another worker", () => windows.workers().some((worker) => worker !== first), {
    withinMs: 10_000,
    everyMs: 50,
  });
  await expect.poll(keysDown, { timeout: 10_000 }).not.toContain(shift);
  await page.keyboard.up("Shift");
  // What is typed while the viewer comes back goes nowhere; a technician types it again.
  await expect(async () => {
    await viewer.isLive();
    await viewer.shows(WindowsDesktop.size);
    await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
    await viewer.type(after, "german");
    await expect.poll(() => windows.ask("read-notepad"), { timeout: 10_000 }).toContain(after);
  }).toPass({ timeout: 60_000 });
  await testInfo.attach("notepad", { body: await page.screenshot(), contentType: "image/png" });
  windows.finish("guruconnect-agent.exe", "uninstall");
  expect(windows.workers(), "the service takes its worker with it").toHaveLength(0);
});
