import type { Workload } from "../../../scripts/lib/workload.mjs";
import { expect, TECHNICIAN, test } from "../lib/stack";

/** X's symbol for the left Shift key. */
const SHIFT_LEFT = 0xffe1;
const LETTER_A = 0x61;
const LETTER_B = 0x62;

function keys(recorder: Workload): [number, string][] {
  return recorder.recorded.flatMap((line) =>
    "key" in line ? [[line.symbol, line.is] as [number, string]] : [],
  );
}

test("in view-only nothing reaches the machine", async ({ stack, dashboard }) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await viewer.button("View only").click();
  await viewer.click(300, 300);
  await viewer.focus();
  await viewer.page.keyboard.press("a");
  await viewer.button("View only").click();
  await viewer.focus();
  await viewer.page.keyboard.press("b");

  await expect
    .poll(() => keys(recorder))
    .toEqual([
      [LETTER_B, "down"],
      [LETTER_B, "up"],
    ]);
  expect(recorder.recorded.filter((line) => "button" in line)).toEqual([]);
});

test("held keys are released when the picture loses the keyboard", async ({
  page,
  stack,
  dashboard,
}) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await viewer.focus();

  await page.keyboard.down("Shift");
  await page.keyboard.down("a");
  await expect.poll(() => keys(recorder)).toContainEqual([LETTER_A, "down"]);
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));

  await expect
    .poll(() => keys(recorder))
    .toEqual(
      expect.arrayContaining([
        [LETTER_A, "up"],
        [SHIFT_LEFT, "up"],
      ]),
    );
});

test("held keys are released when the tab is closed", async ({ page, stack, dashboard }) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  await viewer.focus();
  await page.keyboard.down("Shift");
  await expect.poll(() => keys(recorder)).toContainEqual([SHIFT_LEFT, "down"]);

  await page.close();

  await expect.poll(() => keys(recorder)).toContainEqual([SHIFT_LEFT, "up"]);
});

test("a chord of system keys is pressed and released on the machine", async ({
  page,
  stack,
  dashboard,
}) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await viewer.button("Send keys").click();
  await page.getByRole("menuitem", { name: "Ctrl + Alt + Del" }).click();

  const [control, alt, del] = [0xffe3, 0xffe9, 0xffff];
  await expect
    .poll(() => keys(recorder).map(([symbol, is]) => `${symbol.toString(16)} ${is}`))
    .toEqual(
      expect.arrayContaining(
        [control, alt, del].flatMap((key) => [
          `${key.toString(16)} down`,
          `${key.toString(16)} up`,
        ]),
      ),
    );
});
