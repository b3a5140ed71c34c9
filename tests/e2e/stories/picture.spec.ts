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

test("the desktop is there within a second of the click", async ({ page, stack, dashboard }) => {
  await dashboard.open();
  await dashboard.signIn(TECHNICIAN);
  await dashboard.machineRow(stack.machine.name).hover();

  const opened = performance.now();
  await page.getByRole("link", { name: `Connect to ${stack.machine.name}` }).click();
  await page.getByTestId("remote-screen").waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector("canvas")?.getContext("2d")?.getImageData(640, 400, 1, 1).data[3] ===
      255,
    null,
    { polling: 20 },
  );
  const took = performance.now() - opened;

  test.info().annotations.push({ type: "click to desktop", description: `${took.toFixed(0)} ms` });
  console.log(`      click to desktop: ${took.toFixed(0)} ms`);
});
