// @ts-check
// How a viewer's canvas compares with the screen that it shows, after everything on that
// screen has come to rest: when it became equal bit for bit, and how near it was before.

import { execFileSync } from "node:child_process";
import { sleep } from "../../scripts/lib/processes.mjs";
import { median, rounded } from "./statistics.mjs";

/** Left, top, width, height. @typedef {import('../../scripts/lib/workload.mjs').Rectangle} Rectangle */

/**
 * When copies of the moving picture are kept, as shares of the scene's length: at moments that
 * have nothing to do with the frames'.
 */
const SAMPLED_AT = [0.357, 0.513, 0.671, 0.829];

/**
 * Starts to watch the canvas, at the moment in which the screen came to rest. Answers when
 * `lookMs` have passed; the figures come from {@link exactness}.
 *
 * @param {import('playwright-core').Page} page
 * @param {{ atMs: number, lookMs: number }} options `atMs`: when a copy is kept for comparison
 */
export async function watchRest(page, options) {
  await page.evaluate(watch, options);
}

/**
 * Keeps only what the canvas shows now, without watching it: for runs that measure what the
 * browser spends.
 *
 * @param {import('playwright-core').Page} page
 */
export async function keepCanvas(page) {
  await page.evaluate(() => {
    const { probe } = /** @type {any} */ (window);
    probe.rest = { kept: probe.take(), changes: [] };
  });
}

/**
 * Keeps copies of the canvas while the scene plays, with the number of the frame that each
 * shows; they wait in the page.
 *
 * @param {import('playwright-core').Page} page
 * @param {number} seconds that the scene takes
 */
export async function sampleMotion(page, seconds) {
  const start = performance.now();
  for (const share of SAMPLED_AT) {
    await sleep(start + share * seconds * 1_000 - performance.now());
    await page.evaluate(() => /** @type {any} */ (window).probe.sample());
  }
}

/**
 * How similar those copies are to the frames that they show, which the scene draws again.
 *
 * @param {import('playwright-core').Page} page
 * @param {import('../../scripts/lib/desktop.mjs').Desktop} desktop
 * @param {import('../../scripts/lib/workload.mjs').Workload} still the same scene with `--still`
 * @returns {Promise<number | null>} the median of their SSIM; `null` when nothing was shown
 */
export async function motionSsim(page, desktop, still) {
  /** @type {number[]} */
  const frames = await page.evaluate(() =>
    /** @type {any} */ (window).probe.samples.map(
      (/** @type {{ frame: number }} */ { frame }) => frame,
    ),
  );
  /** @type {number[]} */
  const similarities = [];
  for (const [index, frame] of frames.entries()) {
    await still.show(frame);
    await page.evaluate((sample) => {
      const { probe } = /** @type {any} */ (window);
      probe.rest = { kept: probe.samples[sample].image, changes: [] };
    }, index);
    similarities.push((await exactness(page, desktop, null)).ssim);
  }
  return median(similarities);
}

/**
 * @typedef {{ equalShare: number, ssim: number, textEqualShare: number | null }} Exactness
 *   `textEqualShare`: the same of where there is nothing but text, `null` without such a place
 *
 * @param {import('playwright-core').Page} page
 * @param {import('../../scripts/lib/desktop.mjs').Desktop} desktop
 * @param {Rectangle | null} text where there is nothing but text
 * @returns {Promise<Exactness & { equalAfterMs: number | null }>}
 *   `equalAfterMs` is `null` when it never was while we looked
 */
export async function exactness(page, desktop, text) {
  const dump = execFileSync("xwd", ["-root", "-silent"], {
    env: { ...process.env, ...desktop.env },
    maxBuffer: 64 << 20,
    timeout: 30_000,
  });
  const screenBase64 = pixels(dump).toString("base64");
  const found = await page.evaluate(compare, { screenBase64, text });
  return {
    equalAfterMs: rounded(found.equalAfterMs, 0),
    equalShare: rounded(found.equalShare, 5) ?? 0,
    ssim: rounded(found.ssim, 5) ?? 0,
    textEqualShare: rounded(found.textEqualShare, 5),
  };
}

/**
 * The pixels of an xwd file, which X11/XWDFile.h describes: rows of BGRX, as every X server of
 * this time keeps them.
 *
 * @param {Buffer} dump
 */
function pixels(dump) {
  const [headerBytes, bitsPerPixel, colours] = [0, 44, 76].map((at) => dump.readUInt32BE(at));
  if (bitsPerPixel !== 32) throw new Error(`a screen of ${bitsPerPixel} bits a pixel`);
  return dump.subarray(headerBytes + colours * 12);
}

/** Runs in the page. @param {{ atMs: number, lookMs: number }} options */
async function watch({ atMs, lookMs }) {
  const { probe } = /** @type {any} */ (window);
  const begin = performance.now();
  /** @type {ImageData | undefined} */
  let kept;
  /** A new entry whenever the canvas changed. @type {{ afterMs: number, image: ImageData }[]} */
  const changes = [];
  for (let now = begin; now < begin + lookMs; now = performance.now()) {
    /** @type {ImageData} */
    const image = probe.take();
    const before = changes.at(-1)?.image;
    const [a, b] = [image, before].map((one) => one && new Uint32Array(one.data.buffer));
    if (!a || !b?.every((value, index) => value === a[index])) {
      changes.push({ afterMs: now - begin, image });
      // The last few are enough to find when it became what it is.
      if (changes.length > 12) changes.shift();
    }
    if (!kept && now - begin >= atMs) kept = image;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  probe.rest = { kept: kept ?? probe.take(), changes };
}

/** Runs in the page. @param {{ screenBase64: string, text: Rectangle | null }} screen rows of BGRX */
function compare({ screenBase64, text: textArea }) {
  const { kept, changes } = /** @type {any} */ (window).probe.rest;
  const bytes = atob(screenBase64);
  const screen = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) screen[at] = bytes.charCodeAt(at);
  const { width, height } = kept;

  /** @param {ImageData} image @param {Rectangle} area */
  const equalShare = ({ data }, [left, top, columns, rows]) => {
    let count = 0;
    for (let y = top; y < top + rows; y++) {
      for (let x = left; x < left + columns; x++) {
        const at = (y * width + x) * 4;
        count += Number(
          data[at] === screen[at + 2] &&
            data[at + 1] === screen[at + 1] &&
            data[at + 2] === screen[at],
        );
      }
    }
    return count / (columns * rows);
  };
  /** @type {Rectangle} */
  const everything = [0, 0, width, height];
  const exact = changes.find(
    (/** @type {{ image: ImageData }} */ { image }) => equalShare(image, everything) === 1,
  );

  // Structural similarity of brightness in blocks of 8x8 (Wang et al. 2004, without overlap).
  /** @param {number} red @param {number} green @param {number} blue */
  const luma = (red, green, blue) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const [C1, C2, SIDE] = [6.5025, 58.5225, 8];
  let sum = 0;
  let blocks = 0;
  for (let top = 0; top + SIDE <= height; top += SIDE) {
    for (let left = 0; left + SIDE <= width; left += SIDE) {
      let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0];
      for (let y = top; y < top + SIDE; y++) {
        for (let x = left; x < left + SIDE; x++) {
          const at = (y * width + x) * 4;
          const shown = luma(kept.data[at], kept.data[at + 1], kept.data[at + 2]);
          const real = luma(screen[at + 2], screen[at + 1], screen[at]);
          a += shown;
          b += real;
          aa += shown * shown;
          bb += real * real;
          ab += shown * real;
        }
      }
      const count = SIDE * SIDE;
      const [ma, mb] = [a / count, b / count];
      const [va, vb, cov] = [aa / count - ma * ma, bb / count - mb * mb, ab / count - ma * mb];
      sum += ((2 * ma * mb + C1) * (2 * cov + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
      blocks++;
    }
  }
  return {
    equalAfterMs: exact ? exact.afterMs : null,
    equalShare: equalShare(kept, everything),
    textEqualShare: textArea && equalShare(kept, textArea),
    ssim: sum / blocks,
  };
}
