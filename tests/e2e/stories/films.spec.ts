import { readFileSync } from "node:fs";
import path from "node:path";
import { test as plain } from "@playwright/test";
import { root } from "../../../scripts/lib/guruconnect.mjs";
import { expect, TECHNICIAN, test } from "../lib/stack";

/** Red, green, blue of the patches that crates/vpx/tests/golden.rs draws. */
const COLOURS = [
  [0, 0, 0],
  [255, 255, 255],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [128, 128, 128],
  [200, 120, 40],
  [30, 90, 200],
];
const [WIDTH, HEIGHT, COLUMNS, ROWS] = [201, 121, 4, 2];

/** The packets of an IVF file. */
function packets(file: string): number[][] {
  const ivf = readFileSync(path.join(root, file));
  const found = [];
  for (let at = 32; at < ivf.length; ) {
    const length = ivf.readUInt32LE(at);
    found.push([...ivf.subarray(at + 12, at + 12 + length)]);
    at += 12 + length;
  }
  return found;
}

plain("this browser shows the colours that the agent packed", async ({ page }) => {
  // The viewer's own module, as it was built, on a page that may use WebCodecs.
  const built = path.join(root, "dashboard/packages/viewer/dist/worker");
  await page.route("http://localhost/**", (route) => {
    const { pathname } = new URL(route.request().url());
    return pathname === "/"
      ? route.fulfill({ body: "<!doctype html>", contentType: "text/html" })
      : route.fulfill({ path: path.join(built, path.basename(pathname)) });
  });
  await page.goto("http://localhost/");

  const shown = await page.evaluate(
    async ({ film, width, height, columns, rows }) => {
      const { FilmPlayer, probeFilms } = await import(`${location.origin}/films.js`);
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      if (!context) throw new Error("no canvas");
      const area = [0, 0, width, height];
      const frames: number[][][] = [];
      let failure: string | null = null;
      const player = new FilmPlayer({
        decoded(_: number, image: VideoFrame | null) {
          if (!image) return;
          context.drawImage(image, 0, 0);
          image.close();
          const patches = Array.from({ length: columns * rows }, (_, patch) => {
            const x = Math.floor(((2 * (patch % columns) + 1) * width) / (2 * columns));
            const y = Math.floor(((2 * Math.floor(patch / columns) + 1) * height) / (2 * rows));
            return [...context.getImageData(x, y, 1, 1).data.subarray(0, 3)];
          });
          frames.push(patches);
        },
        failed(_: string, reason: string) {
          failure = reason;
        },
      });
      film.forEach((packet, index) => {
        player.decode(
          index + 1,
          {
            stream: 1,
            format: "vp9",
            key: index === 0,
            area,
            coded: [width, height],
            rects: [area],
          },
          Uint8Array.from(packet),
        );
      });
      const end = performance.now() + 10_000;
      while (player.backlog > 0 && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      player.close();
      return { formats: await probeFilms(), frames, failure };
    },
    {
      film: packets("crates/vpx/tests/golden/patches.ivf"),
      width: WIDTH,
      height: HEIGHT,
      columns: COLUMNS,
      rows: ROWS,
    },
  );

  expect(shown.failure).toBeNull();
  expect(shown.formats).toEqual(["vp9"]);
  expect(shown.frames).toHaveLength(4);
  for (const [frame, patches] of shown.frames.entries()) {
    for (const [patch, colour] of patches.entries()) {
      const wanted = COLOURS[(patch + frame) % COLOURS.length] ?? [];
      const distance = Math.max(...colour.map((level, index) => Math.abs(level - wanted[index])));
      expect(distance, `frame ${frame}, patch ${patch}: ${colour}`).toBeLessThanOrEqual(2);
    }
  }
});

test("a film plays as video, and what it leaves is exact", async ({ page, stack, dashboard }) => {
  await page.addInitScript(() => {
    const { drawImage } = CanvasRenderingContext2D.prototype;
    let films = 0;
    CanvasRenderingContext2D.prototype.drawImage = function (
      this: CanvasRenderingContext2D,
      ...args: unknown[]
    ) {
      if (args[0] instanceof VideoFrame) films += 1;
      return Reflect.apply(drawImage, this, args);
    };
    Object.assign(window, { filmPictures: () => films });
  });
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "60");
  const pictures = () =>
    viewer.page.evaluate(() => (window as unknown as { filmPictures(): number }).filmPictures());

  await expect.poll(pictures).toBeGreaterThan(30);
  await scene.stop();
  await stack.workload("picture", "--seed", "9");

  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
});
