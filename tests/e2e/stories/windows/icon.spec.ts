import { execFileSync } from "node:child_process";
import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { expect, type Stack, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { DATA, startAgent, windowsFor } from "../../lib/windows-machine";

/** A Windows whose shell shows icons, with an agent of its user and the icon of it. */
async function withIcon(
  unclaimed: Stack,
): Promise<{ windows: WindowsDesktop; machine: { id: string } }> {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed);
  const machine = await startAgent(windows, server);
  windows.run("guruconnect-agent.exe", "tray", ...DATA);
  await expect.poll(() => tip(windows), { timeout: 30_000 }).toContain("nobody is looking");
  return { windows, machine };
}

/** What the shell shows of icons right now. */
function tips(windows: WindowsDesktop): string {
  return windows.ask("read-tips");
}

/** Rests the pointer on the icon, coming from elsewhere, and reads what it says. */
function tip(windows: WindowsDesktop): string {
  if (windows.ask("place-icons").trim() === "") return "";
  const [x, y] = icon(windows);
  windows.hand("mousemove", "600", "500", "sleep", "0.3", "mousemove", x, y, "sleep", "1");
  return tips(windows);
}

/** Ours is the only one, and stands at the end. */
function icon(windows: WindowsDesktop): [string, string] {
  const icons = JSON.parse(windows.ask("place-icons"));
  const middle = icons.height / 2;
  return [`${icons.x + icons.width - middle}`, `${icons.y + middle}`];
}

/** The colours on the screen where the icon is. */
function colours(windows: WindowsDesktop): string {
  const [x, y] = icon(windows).map((middle) => Number(middle) - 10);
  const args = ["png:-", "-crop", `20x20+${x}+${y}`, "txt:-"];
  return execFileSync("convert", args, { input: windows.picture(), encoding: "utf8" });
}

const GREEN = "#176B60";
const ORANGE = "#C2410C";

/** Presses the icon and then one of the two items of its menu. */
async function choose(windows: WindowsDesktop, item: number): Promise<void> {
  windows.hand("mousemove", ...icon(windows), "click", "3");
  const menu = JSON.parse(
    await until("the menu", () => windows.ask("place-menu").trim(), {
      withinMs: 10_000,
      everyMs: 200,
    }),
  );
  const y = menu.y + Math.round((menu.height * (item - 0.5)) / 2);
  windows.hand("mousemove", `${menu.x + 20}`, `${y}`, "click", "1");
}

const window = (windows: WindowsDesktop) => windows.ask("read-guest");

async function close(windows: WindowsDesktop): Promise<void> {
  const close = JSON.parse(windows.ask("place-guest", "Close"));
  windows.hand("mousemove", `${close.x + 10}`, `${close.y + 10}`, "click", "1");
  await expect.poll(() => window(windows)).toBe("");
}

test("the icon's menu asks for help, and what becomes of it appears beside the icon", async ({
  page,
  unclaimed,
}, testInfo) => {
  const { windows } = await withIcon(unclaimed);
  const dashboard = new Dashboard(page, unclaimed.server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);

  await choose(windows, 1);
  await expect.poll(() => window(windows), { timeout: 20_000 }).toContain("Ask for help");
  windows.hand("type", "--delay", "20", "It does not print");
  windows.hand("key", "Return");
  await expect
    .poll(() => window(windows), { timeout: 20_000 })
    .toContain("Your support has been told");
  await close(windows);

  await page.getByRole("link", { name: /Asks for help/ }).click();
  await page.getByRole("button", { name: "Take" }).click();
  await expect.poll(() => tips(windows), { timeout: 20_000 }).toContain("Choose Request support");
  await testInfo.attach("taken", { body: windows.picture(), contentType: "image/png" });
  await page.getByLabel("Message to the customer").fill("I will look at it");
  await page.keyboard.press("Enter");
  await expect.poll(() => tips(windows), { timeout: 20_000 }).toContain("I will look at it");
  await testInfo.attach("answered", { body: windows.picture(), contentType: "image/png" });
});

test("icon and About name who is looking, and say so when nobody is", async ({
  page,
  unclaimed,
}, testInfo) => {
  const { windows, machine } = await withIcon(unclaimed);
  await choose(windows, 2);
  await expect
    .poll(() => window(windows), { timeout: 20_000 })
    .toContain("Nobody is looking at this computer");
  expect(colours(windows)).toContain(GREEN);
  expect(colours(windows)).not.toContain(ORANGE);
  await testInfo.attach("nobody", { body: windows.picture(), contentType: "image/png" });

  const dashboard = new Dashboard(page, unclaimed.server.url);
  await dashboard.openViewer(machine, TECHNICIAN, WindowsDesktop.size);

  await expect
    .poll(() => window(windows), { timeout: 20_000 })
    .toMatch(/Tina Technician is looking[\s\S]*Tina Technician, with mouse and keyboard, for/);
  expect(tip(windows)).toContain("GuruConnect: Tina Technician is looking at this computer");
  expect(colours(windows)).toContain(ORANGE);
  await testInfo.attach("watched", { body: windows.picture(), contentType: "image/png" });

  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect
    .poll(() => window(windows), { timeout: 20_000 })
    .toContain("Nobody is looking at this computer");
  expect(tip(windows)).toContain("nobody is looking");
});
