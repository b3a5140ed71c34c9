import { expect, TECHNICIAN, test } from "../lib/stack";

test("the statistics name every part of the latency, with figures that can be", async ({
  stack,
  dashboard,
}) => {
  const scene = await stack.workload("scene", "drag", "--seconds", "60");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await viewer.button("Statistics").click();

  const panel = viewer.page.getByRole("complementary", { name: "Statistics" });
  for (const part of ["Capture", "Encode", "Network", "Decode", "Paint"]) {
    await expect(panel).toContainText(part);
  }
  const framesPerSecond = async () =>
    Number(/Frames\s*(\d+)\/s/.exec(await panel.innerText())?.[1]);
  await expect.poll(framesPerSecond).toBeGreaterThan(5);
  await expect.poll(framesPerSecond).toBeLessThanOrEqual(60);
  await expect(panel).toContainText(/Round trip\s*\d/);
  await expect(panel).toContainText("Reads the screen by: X11 in shared memory");
  console.log(`      statistics: ${(await panel.innerText()).replaceAll(/\s+/g, " ")}`);
  await scene.stop();
});
