import { machineOnline } from "../../../../scripts/lib/guruconnect.mjs";
import { Dashboard } from "../../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";

test("a technician switches between two monitors of a Windows machine", async ({
  page,
  unclaimed,
}) => {
  const { server, folder } = unclaimed;
  await server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const windows = new WindowsDesktop(folder);
  unclaimed.stopAtTheEnd(windows);
  await windows.start({ monitors: "640x480,480x400" });
  // Something that is painted in the middle of the screen.
  windows.run("windows-helper.exe", "window");
  windows.run(
    "guruconnect-agent.exe",
    ...["--server", server.url, "--token", await server.api.enrolmentToken()],
    ...["--data-dir", "C:\\GuruConnect", "--log-level", "debug"],
  );
  const machine = await machineOnline(server.api, { withinMs: 60_000 });
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
