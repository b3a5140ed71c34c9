import { expect, TECHNICIAN, test } from "../lib/stack";

test("the picture is the machine's, pixel for pixel", async ({ stack, dashboard }, testInfo) => {
  await stack.workload("picture", "--seed", "7");

  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await expect.poll(() => viewer.differencesFromKnownPicture(7)).toEqual({ count: 0 });
  await testInfo.attach("picture", {
    body: await viewer.page.screenshot(),
    contentType: "image/png",
  });
});

test("the picture is exact again after something moved", async ({ stack, dashboard }) => {
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "3");

  await scene.ended();
  await scene.stop();
  await stack.workload("picture", "--seed", "8");

  await expect.poll(() => viewer.differencesFromKnownPicture(8)).toEqual({ count: 0 });
});

test("a click on Connect brings the desktop", async ({ page, stack, dashboard }) => {
  await dashboard.open();
  await dashboard.signIn(TECHNICIAN);
  await dashboard.machineRow(stack.machine.name).hover();

  const opened = performance.now();
  await page.getByRole("link", { name: `Connect to ${stack.machine.name}` }).click();
  // The desktop's own colour, in a place that nothing covers.
  const isThere = () => {
    const canvas = document.querySelector("canvas");
    const pixel = canvas
      ?.getContext("2d")
      ?.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1);
    return pixel?.data[0] === 0x2b && pixel.data[1] === 0x4c && pixel.data[2] === 0x6f;
  };
  await page.waitForFunction(isThere, null, { polling: 20 });
  const took = performance.now() - opened;

  test.info().annotations.push({ type: "click to desktop", description: `${took.toFixed(0)} ms` });
  console.log(`      click to desktop: ${took.toFixed(0)} ms`);
});
