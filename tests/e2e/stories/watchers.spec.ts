import { Dashboard, type ViewerPage } from "../lib/dashboard";
import { expect, TECHNICIAN, test } from "../lib/stack";

interface Counted {
  /** How often the picture was thrown away: a canvas that begins anew is blank. */
  blanks: number;
  /** Different pictures in the middle, where the film is. */
  pictures: number;
}

/** Looks at the canvas in every frame of the browser from now on. */
async function count(viewer: ViewerPage): Promise<() => Promise<Counted>> {
  await viewer.canvas.evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const counted = { blanks: 0, pictures: 0 };
    Object.assign(window, { counted });
    let last = "";
    const look = () => {
      const context = canvas.getContext("2d");
      if (context?.getImageData(4, canvas.height - 4, 1, 1).data[3] !== 255) counted.blanks++;
      const middle = context?.getImageData(canvas.width / 2, canvas.height / 2, 8, 8).data.join();
      if (middle && middle !== last) counted.pictures++;
      last = middle ?? "";
      requestAnimationFrame(look);
    };
    look();
  });
  return () => viewer.page.evaluate(() => (window as unknown as { counted: Counted }).counted);
}

test("a second technician joins, and the first one's picture goes on undisturbed", async ({
  browser,
  stack,
  dashboard,
}) => {
  const first = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "60");
  const counted = await count(first);
  await expect.poll(async () => (await counted()).pictures).toBeGreaterThan(10);

  const context = await browser.newContext();
  try {
    const second = await new Dashboard(await context.newPage(), stack.server.url).openViewer(
      stack.machine,
      TECHNICIAN,
    );
    await second.isLive();
    await first.isLive();
    const { pictures } = await counted();
    await expect.poll(async () => (await counted()).pictures).toBeGreaterThan(pictures + 20);
    expect((await counted()).blanks).toBe(0);

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
