import { readFileSync } from "node:fs";
import path from "node:path";
import { type Locator, type Page, test as plain } from "@playwright/test";
import { root } from "../../../scripts/lib/guruconnect.mjs";
import { Dashboard, type ViewerPage } from "../lib/dashboard";
import { CLAIM_SECRET, expect, type Stack, TECHNICIAN, test } from "../lib/stack";

/** What the encoders' own tests packed: crates/vpx and crates/openh264, tests/golden.rs. */
const PACKED = [
  {
    format: "vp9",
    file: "crates/vpx/tests/golden/patches.ivf",
    size: [201, 121],
  },
  {
    format: "vp9_full_chroma",
    file: "crates/vpx/tests/golden/patches-full-chroma.ivf",
    size: [201, 121],
  },
  {
    format: "h264",
    file: "crates/openh264/tests/golden/patches.ivf",
    size: [202, 122],
  },
] as const;

/** Red, green, blue of the patches that they show. */
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
const [COLUMNS, ROWS] = [4, 2];

/** Puts a decoder into the worker that fails over its first H.264 packet. */
const BREAK_H264 = `
  if (typeof VideoDecoder !== "undefined" && typeof window === "undefined") {
    self.VideoDecoder = class extends VideoDecoder {
      #fail; #breaks = false;
      constructor(init) { super(init); this.#fail = init.error; }
      configure(config) { super.configure(config); this.#breaks = config.codec.startsWith("avc1"); }
      decode(chunk) {
        if (!this.#breaks) return super.decode(chunk);
        setTimeout(() => this.#fail(new DOMException("broken on purpose", "EncodingError")));
      }
    };
  }`;

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

for (const {
  format,
  file,
  size: [width, height],
} of PACKED) {
  plain(`this browser shows the colours that the agent packed as ${format}`, async ({ page }) => {
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
      async ({ film, format, width, height, columns, rows }) => {
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
          failed(_attempt: string, _format: string, reason: string) {
            failure = reason;
          },
        });
        film.forEach((packet, index) => {
          player.decode(
            index + 1,
            {
              stream: 1,
              format,
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
        film: packets(file),
        format,
        width,
        height,
        columns: COLUMNS,
        rows: ROWS,
      },
    );

    expect(shown.failure).toBeNull();
    expect(shown.formats).toEqual(["vp9", "h264", "vp9_full_chroma"]);
    expect(shown.frames).toHaveLength(4);
    for (const [frame, patches] of shown.frames.entries()) {
      for (const [patch, colour] of patches.entries()) {
        const wanted = COLOURS[(patch + frame) % COLOURS.length] ?? [];
        const distance = Math.max(...colour.map((level, index) => Math.abs(level - wanted[index])));
        expect(distance, `frame ${frame}, patch ${patch}: ${colour}`).toBeLessThanOrEqual(2);
      }
    }
  });
}

/** Before the page's scripts: notes the format of every film's picture that the worker hands over. */
async function notePictures(page: Page): Promise<() => Promise<Record<string, number>>> {
  await page.addInitScript(() => {
    const pictures: Record<string, number> = {};
    window.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        this.addEventListener("message", ({ data }) => {
          if (data?.kind !== "film") return;
          const { format } = data.film;
          pictures[format] = (pictures[format] ?? 0) + 1;
        });
      }
    };
    Object.assign(window, { filmPictures: () => pictures });
  });
  return () =>
    page.evaluate(() =>
      (window as unknown as { filmPictures(): Record<string, number> }).filmPictures(),
    );
}

/** A machine that makes H.264 first, and VP9 where that does not work. */
async function preferringH264(stack: Stack): Promise<void> {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  await stack.addMachine(["--film-codecs", "h264,vp9"]);
  expect(readFileSync(stack.agent.log, "utf8"), "build it with --features openh264").not.toContain(
    "built without",
  );
}

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
  const way = await openStatistics(viewer);
  await expect(way).toHaveText(/^Film: VP9(, full colour)? \(software: libvpx\), \d+ × \d+/);
  await scene.stop();
  await stack.workload("picture", "--seed", "9");

  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
  await expect(way).toHaveText("Exact pixels");
});

/** The statistics' sentence on how the picture travels. */
async function openStatistics(viewer: ViewerPage): Promise<Locator> {
  await viewer.button("Statistics").click();
  return viewer.page.getByTestId("picture-sentence");
}

test("thin coloured lines in a film keep their colours", async ({ page, stack, dashboard }) => {
  const pictures = await notePictures(page);
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "chart", "--seconds", "120");

  await expect
    .poll(async () => (await pictures()).vp9_full_chroma ?? 0, { timeout: 80_000 })
    .toBeGreaterThan(30);
  await scene.stop();
  await stack.workload("picture", "--seed", "9");

  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
});

test("a machine that prefers H.264 plays films in it", async ({ page, unclaimed: stack }) => {
  await preferringH264(stack);
  const pictures = await notePictures(page);
  const viewer = await new Dashboard(page, stack.server.url).openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "60");

  await expect.poll(async () => (await pictures()).h264 ?? 0).toBeGreaterThan(30);
  await expect(await openStatistics(viewer)).toContainText("Film: H.264 (software: OpenH264)");
  await scene.stop();
  await stack.workload("picture", "--seed", "9");

  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
  expect(Object.keys(await pictures())).toEqual(["h264"]);
});

test("a browser whose H.264 decoder breaks goes on in VP9", async ({ page, unclaimed: stack }) => {
  await preferringH264(stack);
  const pictures = await notePictures(page);
  await page.addInitScript((breaks) => {
    window.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        // Imports come first, wherever they stand: decoders are opened later.
        const script = `import ${JSON.stringify(String(url))};\n${breaks}`;
        super(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), options);
      }
    };
  }, BREAK_H264);
  const viewer = await new Dashboard(page, stack.server.url).openViewer(stack.machine, TECHNICIAN);
  const scene = await stack.workload("scene", "video", "--seconds", "60");

  await expect
    .poll(async () => (await pictures()).vp9 ?? 0, { timeout: 20_000 })
    .toBeGreaterThan(30);
  await scene.stop();
  await stack.workload("picture", "--seed", "9");

  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
  expect(Object.keys(await pictures())).toEqual(["vp9"]);
  expect(readFileSync(stack.agent.log, "utf8")).toMatch(/A film begins.*h264/);
});

/** The scene plays its film forth and back in 6.6 s: so long every quality shows the same. */
const ROUND_MS = 6_600;
/** Pictures after which a film has found its size and its bytes for a new quality. */
const STEADY_AFTER_PICTURES = 60;

test("low and medium play a film in fewer bytes, and high is exact", async ({ page, stack }) => {
  test.setTimeout(240_000);
  const link = await stack.slowLink();
  const pictures = await notePictures(page);
  const filmPictures = async () =>
    Object.values(await pictures()).reduce((sum, count) => sum + count, 0);
  const dashboard = new Dashboard(page, `http://127.0.0.1:${link.port}`);
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const way = await openStatistics(viewer);
  const scene = await stack.workload("scene", "video", "--seconds", "220");
  const kilobitsPerSecond = async (quality: "Low" | "Medium") => {
    await chooseQuality(viewer, quality);
    const before = await filmPictures();
    await expect
      .poll(filmPictures, { timeout: 60_000 })
      .toBeGreaterThan(before + STEADY_AFTER_PICTURES);
    const [bytes, start] = [link.carried.down, performance.now()];
    await page.waitForTimeout(ROUND_MS);
    const kilobits = ((link.carried.down - bytes) * 8) / (performance.now() - start);
    await expect(way).toHaveText(/^Film: VP9 /);
    return kilobits;
  };

  const medium = await kilobitsPerSecond("Medium");
  const low = await kilobitsPerSecond("Low");
  console.log(`      film: medium ${medium.toFixed(0)}, low ${low.toFixed(0)} kbit/s`);
  expect(low).toBeLessThan(medium);

  await chooseQuality(viewer, "High");
  await expect(way).toHaveText("Exact pixels");
  // What was packed before the choice may still be on its way or in the decoder.
  await page.waitForTimeout(1_000);
  const shown = await filmPictures();
  // Over three seconds of the film: the sentence is written anew twice a second.
  for (let look = 0; look < 6; look++) {
    await page.waitForTimeout(500);
    expect(await way.innerText()).toBe("Exact pixels");
  }
  expect(await filmPictures(), "pictures of films while the quality is high").toBe(shown);
  await scene.stop();
  await stack.workload("picture", "--seed", "9");
  await expect.poll(() => viewer.differencesFromKnownPicture(9)).toEqual({ count: 0 });
});

async function chooseQuality(viewer: ViewerPage, name: "Low" | "Medium" | "High"): Promise<void> {
  await viewer.button("Quality").click();
  await viewer.page.getByRole("menuitemradio", { name: new RegExp(`^${name}`) }).click();
}
