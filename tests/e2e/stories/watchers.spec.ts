import { Dashboard, type ViewerPage } from "../lib/dashboard";
import { expect, TECHNICIAN, test } from "../lib/stack";

/** Counts in the page how often its picture was thrown away: a canvas that begins anew is blank. */
async function countBlanks(viewer: ViewerPage): Promise<() => Promise<number>> {
  await viewer.canvas.evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const counter = { blanks: 0 };
    Object.assign(window, { counter });
    const look = () => {
      const pixel = canvas.getContext("2d")?.getImageData(4, canvas.height - 4, 1, 1).data;
      if (pixel?.[3] !== 255) counter.blanks++;
      requestAnimationFrame(look);
    };
    look();
  });
  return () =>
    viewer.page.evaluate(
      () => (window as unknown as { counter: { blanks: number } }).counter.blanks,
    );
}

test("a second technician joins, and the first one's picture goes on undisturbed", async ({
  browser,
  stack,
  dashboard,
}) => {
  const first = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "60");
  const blanks = await countBlanks(first);

  const context = await browser.newContext();
  try {
    const second = await new Dashboard(await context.newPage(), stack.server.url).openViewer(
      stack.machine,
      TECHNICIAN,
    );
    await second.isLive();
    await first.isLive();
    expect(await blanks()).toBe(0);

    await scene.stop();
    await stack.workload("picture", "--seed", "11");
    for (const viewer of [first, second]) {
      await expect.poll(() => viewer.differencesFromKnownPicture(11)).toEqual({ count: 0 });
    }

    // What one does both see, and one who leaves takes nothing along.
    await second.page.close();
    await stack.workload("picture", "--seed", "12");
    await expect.poll(() => first.differencesFromKnownPicture(12)).toEqual({ count: 0 });
  } finally {
    await context.close();
  }
});
