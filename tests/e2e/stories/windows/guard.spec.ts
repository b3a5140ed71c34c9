import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { openNotepad, startAgent, windowsFor } from "../../lib/windows-machine";

test("the machine's own keyboard does nothing while the technician blocks it", async ({
  page,
  unclaimed,
}) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed);
  const machine = await startAgent(windows, server);
  const place = await openNotepad(windows);
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
