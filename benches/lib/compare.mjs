// @ts-check
// Ours against the best of the others: one rule for every report.

export const OURS = "guruconnect";

/**
 * Who leaves updates out shows younger ones and has less to do, so whoever shows less than this
 * share of another's updates is not measured against it.
 */
const SHOWS_ENOUGH = 2 / 3;

/**
 * @typedef {{ stack: string, value: number | null, shown?: number | null, ssim?: number | null }} Contender
 *   One stack in one cell. `shown` (updates a second) where leaving updates out flatters the
 *   value, `ssim` where a worse picture does.
 * @typedef {{ stack: string, value: number, shown?: number | null, ssim?: number | null }} Known
 */

/**
 * Ours beside the best of the others that show enough, or, when none does, beside the one that
 * shows most. Nothing when there is nobody to compare.
 *
 * @param {Contender[]} contenders
 * @param {number} aim at most this share of the best's figure
 * @param {{ figure: (value: number) => string, reason?: string }} words `reason`: why ours
 *   misses its aim, for those who read it
 * @returns {{ cells: string[], ours: number | null, best: number | null } | null} the cells of a
 *   report: ours, the others, their ratio, the aim, and what that means
 */
export function compare(contenders, aim, { figure, reason }) {
  const others = contenders.filter(({ stack }) => stack !== OURS);
  if (others.length === 0) return null;
  // Where we came to no end, we showed nothing.
  const ours = contenders.find(({ stack }) => stack === OURS) ?? { stack: OURS, value: null };
  const best = bestOf(others.filter(isKnown), ours);
  /** @param {Contender} one */
  const words = (one) => {
    if (one.value === null) return "nothing shown";
    const notes = [
      ...(one === ours ? [] : [one.stack]),
      ...(typeof one.ssim === "number" ? [`SSIM ${one.ssim.toFixed(4)}`] : []),
      ...(share(one, ours) < SHOWS_ENOUGH ? [`${percent(share(one, ours))} shown`] : []),
    ];
    return notes.length > 0 ? `${figure(one.value)} (${notes.join(", ")})` : figure(one.value);
  };
  // Who has a better figure than the best but shows too little is named.
  const aside = others.filter((one) => isKnown(one) && best && one.value < best.value);
  const named = best ? [words(best), ...aside.map((one) => `[${words(one)}]`)] : ["nothing shown"];
  const ratio = best && best.value > 0 && ours.value !== null ? ours.value / best.value : null;
  return {
    cells: [
      words(ours),
      named.join(" "),
      ratio?.toFixed(2) ?? "-",
      aim.toFixed(1),
      verdict(ours, best, ratio === null ? null : ratio <= aim, reason),
    ],
    ours: ours.value,
    best: best?.value ?? null,
  };
}

/** Nothing is best that is too little to measure. @param {Contender} one @returns {one is Known} */
const isKnown = (one) => one.value !== null && one.value > 0;

/** @param {Known[]} others @param {Contender} ours @returns {Known | undefined} */
function bestOf(others, ours) {
  const ranked = [...others].sort((a, b) => a.value - b.value);
  return (
    ranked.find((one) => share(one, ours) >= SHOWS_ENOUGH) ??
    ranked.sort((a, b) => share(b, ours) - share(a, ours))[0]
  );
}

/**
 * @param {Contender} ours
 * @param {Known | undefined} best
 * @param {boolean | null} holds `null` when there is no ratio
 * @param {string} [reason]
 */
function verdict(ours, best, holds, reason) {
  if (ours.value === null) return "**missed**: we show nothing";
  if (!best) return "holds";
  if (holds === null) return "too little to measure";
  if (!holds) return reason ? `**missed**: ${reason}` : "**missed**";
  const why = doubt(ours, best);
  return why ? `**does not count**: ${why}` : "holds";
}

/** Why ours does not count although its figure is better. @param {Contender} ours @param {Known} best */
function doubt(ours, best) {
  const shows = share(ours, best);
  if (shows < SHOWS_ENOUGH) return `we show ${percent(shows)} of its updates`;
  if (typeof ours.ssim === "number" && typeof best.ssim === "number" && ours.ssim < best.ssim)
    return "our picture is less exact";
  return null;
}

/** Updates shown beside another's; 1 where that does not matter. @param {Contender} one @param {Contender} other */
function share(one, other) {
  if (typeof one.shown !== "number" || typeof other.shown !== "number") return 1;
  return other.shown === 0 ? 1 : one.shown / other.shown;
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(0)} %`;

/**
 * A total divided by the updates that it brought to the canvas; nothing shown has no such figure.
 *
 * @param {number} total
 * @param {number} shown
 */
export function perUpdate(total, shown) {
  return shown > 0 ? total / shown : null;
}
