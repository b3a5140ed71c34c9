// @ts-check
// Headless Chromium with a probe in the page that reads the workload's bar code and patch
// off whatever canvas shows the remote screen. The probe knows nothing about the viewer
// but that the remote screen is the largest canvas or video of the page.

import { chromium } from "playwright-core";
import { sleep } from "../../scripts/lib/processes.mjs";
import { monotonicMs } from "../../scripts/lib/workload.mjs";
import { quantile, rounded } from "./statistics.mjs";

const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** @param {Pick<import('../stacks/index.mjs').Stack, 'selfSigned'>} stack whose page it is for */
export async function openBrowser({ selfSigned = false }) {
  const browser = await chromium.launch({
    executablePath: BROWSER,
    headless: false,
    ignoreDefaultArgs: ["--enable-automation"],
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      "--force-device-scale-factor=1",
    ],
  });
  const context = await browser.newContext({
    viewport: { width: 1960, height: 1240 },
    ignoreHTTPSErrors: selfSigned,
  });
  return { browser, page: await context.newPage() };
}

/**
 * Puts the probe into the page and ties its clock to this machine's monotonic one: wall
 * clocks step. Returns the error bound of that tie in milliseconds.
 *
 * @param {import('playwright-core').Page} page
 */
export async function installProbe(page) {
  await page.evaluate(probe);
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let round = 0; round < 60; round++) {
    const before = monotonicMs();
    const there = await page.evaluate(() => performance.now());
    const after = monotonicMs();
    if (after - before < best) {
      best = after - before;
      offset = (before + after) / 2 - there;
    }
  }
  await page.evaluate((value) => {
    /** @type {any} */ (window).probe.offset = value;
  }, offset);
  return best / 2;
}

/** Runs in the page, so it uses nothing from around it. */
function probe() {
  const WIDTH = 104;
  const HEIGHT = 48;
  const POLL_MS = 3;
  const [small, whole] = [document.createElement("canvas"), document.createElement("canvas")];
  small.width = WIDTH;
  small.height = HEIGHT;
  const context = /** @type {CanvasRenderingContext2D} */ (
    small.getContext("2d", { willReadFrequently: true })
  );

  const self = {
    offset: 0,
    /** @type {HTMLCanvasElement | HTMLVideoElement | null} */
    element: null,
    /** @type {[number, number][]} frame numbers with the time each was first seen */
    seen: [],
    polls: 0,
    lastFrame: -1,
    /** The number on the canvas; `null` when it cannot be read. @type {number | null} */
    frame: null,
    /** Copies of the canvas with its number. @type {{ frame: number, image: ImageData }[]} */
    samples: [],
    /** @type {boolean | null} */
    red: null,
    inputAt: 0,
    /** @type {((flip: { inputAt: number, seenAt: number } | null) => void) | null} */
    waiting: null,
    now: () => self.offset + performance.now(),
    find() {
      const screens = [...document.querySelectorAll("canvas,video")].filter(
        (element) => element !== small,
      );
      const sized = /** @type {(HTMLCanvasElement | HTMLVideoElement)[]} */ (screens);
      self.element = sized.sort((a, b) => area(b) - area(a))[0] ?? null;
      return self.element;
    },
    /** What the canvas shows now. */
    take() {
      const element = /** @type {HTMLCanvasElement} */ (self.element);
      if (whole.width !== element.width) whole.width = element.width;
      if (whole.height !== element.height) whole.height = element.height;
      const copy = /** @type {CanvasRenderingContext2D} */ (
        whole.getContext("2d", { willReadFrequently: true })
      );
      copy.drawImage(element, 0, 0);
      return copy.getImageData(0, 0, whole.width, whole.height);
    },
    sample() {
      poll();
      if (self.frame !== null) self.samples.push({ frame: self.frame, image: self.take() });
    },
    reset() {
      self.seen = [];
      self.lastFrame = -1;
      self.polls = 0;
      self.samples = [];
    },
    /** @param {number} withinMs */
    nextFlip(withinMs) {
      self.inputAt = 0;
      return new Promise((resolve) => {
        self.waiting = resolve;
        setTimeout(() => {
          if (self.waiting !== resolve) return;
          self.waiting = null;
          resolve(null);
        }, withinMs);
      });
    },
  };

  /** @param {HTMLCanvasElement | HTMLVideoElement} element */
  function area(element) {
    return element instanceof HTMLVideoElement
      ? element.videoWidth * element.videoHeight
      : element.width * element.height;
  }

  /** @param {Uint8ClampedArray} pixels */
  function readFrame(pixels) {
    let frame = 0;
    let ones = 0;
    for (let block = 0; block < 13; block++) {
      const at = (4 * WIDTH + block * 8 + 4) * 4;
      const light = pixels[at] + pixels[at + 1] + pixels[at + 2];
      if (light > 250 && light < 515) return null;
      const bit = light > 382 ? 1 : 0;
      ones += bit;
      if (block < 12) frame |= bit << block;
    }
    return ones % 2 === 1 ? frame : null;
  }

  function poll() {
    const element = self.element;
    if (!element) return;
    self.polls++;
    const scale = (element instanceof HTMLVideoElement ? element.videoWidth : element.width) / 1920;
    if (scale === 0) return;
    context.drawImage(
      element,
      16 * scale,
      16 * scale,
      WIDTH * scale,
      HEIGHT * scale,
      0,
      0,
      WIDTH,
      HEIGHT,
    );
    const pixels = context.getImageData(0, 0, WIDTH, HEIGHT).data;
    const now = self.now();
    const frame = readFrame(pixels);
    self.frame = frame;
    if (frame !== null && frame !== self.lastFrame) {
      self.lastFrame = frame;
      self.seen.push([frame, now]);
    }
    const at = (22 * WIDTH + 6) * 4;
    const red = pixels[at] > pixels[at + 2];
    if (self.waiting && self.red !== null && red !== self.red) {
      self.waiting({ inputAt: self.inputAt, seenAt: now });
      self.waiting = null;
    }
    self.red = red;
  }

  for (const kind of ["keydown", "mousedown", "pointerdown"]) {
    const remember = () => {
      if (self.waiting && self.inputAt === 0) self.inputAt = self.now();
    };
    addEventListener(kind, remember, true);
  }
  const loop = () => {
    poll();
    setTimeout(loop, POLL_MS);
  };
  self.find();
  loop();
  /** @type {any} */ (window).probe = self;
}

/**
 * Presses a key or a button some times and measures from the page's event to the changed
 * patch on the viewer's canvas. An input that shows nothing within `withinMs` is lost and
 * counts as that long.
 *
 * @param {import('playwright-core').Page} page
 * @param {{ kind: 'key' | 'click', trials: number, workload: import('../../scripts/lib/workload.mjs').Workload,
 *   chance: () => number, withinMs?: number }} options
 */
export async function inputLatency(page, { kind, trials, workload, chance, withinMs = 3_000 }) {
  /** @type {number[]} */ const whole = [];
  /** @type {number[]} */ const toTheScreen = [];
  /** @type {number[]} */ const back = [];
  let lost = 0;
  let shown = 0;
  for (let trial = 0; trial < trials; trial++) {
    await sleep(80 + chance() * 120);
    const earlier = workload.patches.length;
    await page.evaluate((limit) => {
      const { probe } = /** @type {any} */ (window);
      probe.result = probe.nextFlip(limit);
    }, withinMs);
    await (kind === "key" ? page.keyboard.down("a") : page.mouse.down());
    const flip = await page.evaluate(() => /** @type {any} */ (window).probe.result);
    await (kind === "key" ? page.keyboard.up("a") : page.mouse.up());
    if (!flip?.inputAt) {
      lost++;
      // Who loses its slowest inputs is not faster for that.
      whole.push(withinMs);
      if (lost > 10 && shown === 0) break;
      continue;
    }
    shown++;
    whole.push(flip.seenAt - flip.inputAt);
    const drawnAt = workload.patches[earlier];
    if (drawnAt) {
      toTheScreen.push(drawnAt - flip.inputAt);
      back.push(flip.seenAt - drawnAt);
    }
  }
  return {
    trials,
    lost,
    all: summary(whole),
    toTheScreen: summary(toTheScreen),
    back: summary(back),
  };
}

/** @param {number[]} values */
export function summary(values) {
  return {
    median: rounded(quantile(values, 0.5)),
    p95: rounded(quantile(values, 0.95)),
    min: rounded(quantile(values, 0)),
    max: rounded(quantile(values, 1)),
  };
}
