import { machineOnline } from "../../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";

test("the machine's own keyboard does nothing while the technician blocks it", async ({
  page,
  unclaimed,
}) => {
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
  const block = async (wanted: boolean) => {
    await viewer.button("Machine").click();
    const item = page.getByRole("menuitemcheckbox", { name: /Block the machine's own mouse/ });
    await expect(item).toBeChecked({ checked: !wanted });
    await item.click();
    await page.keyboard.press("Escape");
    await viewer.button("Machine").click();
    await expect(item).toBeChecked({ checked: wanted });
    await page.keyboard.press("Escape");
    await viewer.focus();
  };
  const hasText = (text: string) =>
    expect.poll(() => windows.ask("read-notepad"), { timeout: 10_000 }).toBe(text);
  await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
  windows.byHand("type", "person ");
  await hasText("person ");

  await block(true);
  windows.byHand("type", "nothing ");
  await viewer.type("technician ");
  await hasText("person technician ");
  await block(false);
  windows.byHand("type", "again ");
  await hasText("person technician again ");

  // Whoever leaves gives it back.
  await block(true);
  await viewer.button("Disconnect").click();
  await expect(async () => {
    windows.byHand("type", "x");
    expect(windows.ask("read-notepad")).toContain("again x");
  }).toPass({ timeout: 20_000 });
});
