import { expect, TECHNICIAN, test } from "../lib/stack";

/** What may limit a picture on a machine that answers, as the technician reads it. */
const LIMITS =
  /^(Nothing changes on the screen right now|The network is the limit: frames are left out or coarser so that the picture stays current|The machine is the limit: it cannot capture and compress faster|This browser is the limit: it cannot draw faster|Nothing is the limit: every change is shown at the full frame rate)\./;

test("the statistics name every part of the latency, with figures that can be", async ({
  stack,
  dashboard,
}) => {
  const scene = await stack.workload("scene", "drag", "--seconds", "60");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await viewer.button("Statistics").click();

  const panel = viewer.page.getByRole("complementary", { name: "Statistics" });
  for (const part of ["Capture", "Encode", "Queue", "Network", "Decode", "Paint"]) {
    await expect(panel).toContainText(new RegExp(`${part}\\s*\\d+(\\.\\d)? ms`));
  }
  await expect(panel.getByText(LIMITS)).toBeVisible();
  const framesPerSecond = async () =>
    Number(/Frames\s*(\d+)\/s/.exec(await panel.innerText())?.[1]);
  await expect.poll(framesPerSecond).toBeGreaterThan(5);
  await expect.poll(framesPerSecond).toBeLessThanOrEqual(60);
  await expect(panel).toContainText(/Round trip\s*\d/);
  await expect(panel).toContainText("Reads the screen by: X11 in shared memory");
  console.log(`      statistics: ${(await panel.innerText()).replaceAll(/\s+/g, " ")}`);
  await scene.stop();
});
