import { expect, TECHNICIAN, test } from "../lib/stack";

const LEFT = { width: 800, height: 800 };
const RIGHT = { width: 480, height: 600 };

test("a technician switches between two monitors while connected", async ({
  page,
  stack,
  dashboard,
}, testInfo) => {
  const { desktop } = stack;
  desktop.ask("xrandr", ["--setmonitor", "Left", "800/200x800/200+0+0", "screen"]);
  desktop.ask("xrandr", ["--setmonitor", "Right", "480/120x600/150+800+0", "none"]);
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const choose = async (name: string | RegExp) => {
    await viewer.button("Displays").click();
    await page.getByRole("menuitemradio", { name }).click();
  };

  await choose(/^2: Right \(480 × 600\)/);
  await viewer.shows(RIGHT);
  await testInfo.attach("right", { body: await page.screenshot(), contentType: "image/png" });
  await viewer.moveTo(100, 50);
  const pointer = () => desktop.ask("xdotool", ["getmouselocation"]);
  await expect.poll(pointer).toMatch(/^x:900 y:50 /);

  // Whoever lost the line sees the same monitor again.
  await stack.server.kill();
  await stack.server.start();
  await viewer.isLive();
  await viewer.shows(RIGHT);
  await choose(/^1: Left/);
  await viewer.shows(LEFT);
  await choose("All displays");

  await viewer.shows();
});
