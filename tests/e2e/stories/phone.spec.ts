import { expect, TECHNICIAN, test } from "../lib/stack";

test.use({
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 3,
});

test("on a phone the picture fits, a tap clicks and the keyboard types", async ({
  page,
  stack,
  dashboard,
}, testInfo) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const box = await viewer.canvas.boundingBox();
  expect(box?.width).toBeLessThanOrEqual(390);

  const place = await viewer.place(300, 300);
  await page.touchscreen.tap(place.x, place.y);

  await expect
    .poll(() =>
      recorder.recorded
        .filter((line) => "button" in line)
        .map((line) => `${"button" in line && line.button} ${"is" in line && line.is}`),
    )
    .toEqual(["1 down", "1 up"]);
  await viewer.button("On-screen keyboard").click();
  await page.keyboard.insertText("ab");

  const letters = () =>
    recorder.recorded.flatMap((line) => ("key" in line && line.is === "down" ? [line.symbol] : []));
  await expect.poll(letters).toEqual([0x61, 0x62]);
  await testInfo.attach("phone", { body: await page.screenshot(), contentType: "image/png" });
});
