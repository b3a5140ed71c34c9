// Not a test: takes the pictures of the README. `make screenshots` runs it.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { windowTitled } from "../../lib/windows-on-desktop";

const IMAGES = fileURLToPath(new URL("../../../../docs/images", import.meta.url));

test.use({ viewport: { width: 1280, height: 860 }, colorScheme: "light" });

test("pictures of the README", async ({ page, stack, dashboard }) => {
  const { desktop } = stack;
  desktop.run("xterm", [
    ...["-geometry", "84x24+60+60", "-fa", "DejaVu Sans Mono", "-fs", "11", "-title", "Terminal"],
    ...["-e", "bash --norc --noprofile"],
  ]);
  desktop.run("mousepad", ["--disable-server"]);
  const editor = await windowTitled(desktop, "Mousepad");
  desktop.ask("xdotool", ["windowmove", editor.id, "600", "330"]);
  await windowTitled(desktop, "Terminal");

  await dashboard.open();
  await dashboard.signIn(TECHNICIAN);
  await expect(dashboard.machineRow(stack.machine.name)).toContainText("Online");
  await page.screenshot({ path: path.join(IMAGES, "machines.png") });

  await dashboard.open(`/machines/${stack.machine.id}/view`);
  const { ViewerPage } = await import("../../lib/dashboard");
  const viewer = new ViewerPage(page);
  await viewer.shows();
  await viewer.isLive();
  await viewer.click(300, 200);
  await viewer.type("uname -sr; uptime -p\n");
  await viewer.click(800, 560);
  await viewer.type("Typed in a browser, on a machine far away.\n");
  await viewer.button("Statistics").click();
  // Figures settle within their window of two seconds.
  await page.waitForTimeout(2_500);
  await page.screenshot({ path: path.join(IMAGES, "viewer.png") });

  await page.setViewportSize({ width: 390, height: 844 });
  await viewer.button("Close statistics").click();
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(IMAGES, "phone.png") });
});
