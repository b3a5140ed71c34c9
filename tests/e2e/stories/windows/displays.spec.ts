import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { startAgent, windowsFor } from "../../lib/windows-machine";

test("a technician switches between two monitors of a Windows machine", async ({
  page,
  unclaimed,
}) => {
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed, { monitors: "640x480,480x400" });
  // Something that is painted in the middle of the screen.
  windows.run("windows-helper.exe", "window");
  const machine = await startAgent(windows, server);
  const viewer = await new Dashboard(page, server.url).openViewer(machine, TECHNICIAN, {
    width: 1120,
    height: 480,
  });
  const choose = async (name: RegExp) => {
    await viewer.button("Displays").click();
    await page.getByRole("menuitemradio", { name }).click();
  };
  const size = () =>
    viewer.canvas.evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      return `${width}x${height}`;
    });

  await choose(/480 × 400/);
  await expect.poll(size).toBe("480x400");
  await viewer.moveTo(100, 50);
  await expect.poll(() => windows.ask("pointer").trim()).toBe("740 50");
  await choose(/640 × 480/);
  await expect.poll(size).toBe("640x480");
  await viewer.moveTo(100, 60);

  await expect.poll(() => windows.ask("pointer").trim()).toBe("100 60");
});
