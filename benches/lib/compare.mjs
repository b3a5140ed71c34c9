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
 * How ours stands in one cell: beside the best of the others that show enough, or, when none
 * does, beside the one that shows most.
 *
 * @typedef {{ ours: Known, best: Known, aside: Known[], ratio: number | null, doubt: string | null }} Standing
 *   `aside`: who has a better figure than the best but shows too little; `ratio`: ours to the
 *   best, unless that is too little to measure; `doubt`: why ours does not count although its
 *   figure is better
 *
 * @param {Contender[]} contenders
 * @returns {Standing | null}
 */
export function standing(contenders) {
  const known = /** @type {Known[]} */ (contenders.filter(({ value }) => value !== null));
  const ours = known.find(({ stack }) => stack === OURS);
  const others = known.filter(({ stack }) => stack !== OURS).sort((a, b) => a.value - b.value);
  if (!ours || others.length === 0) return null;
  const best =
    others.find((one) => share(one, ours) >= SHOWS_ENOUGH) ??
    others.reduce((most, one) => (share(one, ours) > share(most, ours) ? one : most));
  const aside = others.slice(0, others.indexOf(best));
  const ratio = best.value > 0 ? ours.value / best.value : null;
  return { ours, best, aside, ratio, doubt: doubt(ours, best) };
}

/**
 * The cells of a report: ours, the best of the others, their ratio, the aim, and what that means.
 *
 * @param {Standing} found
 * @param {number} aim
 * @param {{ figure: (value: number) => string, reason?: string }} words `reason`: why ours
 *   misses its aim, for those who read it
 */
export function standingCells({ ours, best, aside, ratio, doubt }, aim, { figure, reason }) {
  /** @param {Known} one */
  const words = (one) => {
    const [shows, ssim] = [share(one, ours), one.ssim];
    const notes = [
      ...(one === ours ? [] : [one.stack]),
      ...(typeof ssim === "number" ? [`SSIM ${ssim.toFixed(4)}`] : []),
      ...(shows < SHOWS_ENOUGH ? [`${percent(shows)} shown`] : []),
    ];
    return notes.length > 0 ? `${figure(one.value)} (${notes.join(", ")})` : figure(one.value);
  };
  /** @returns {string} */
  const verdict = () => {
    if (ratio === null) return "too little to measure";
    if (ratio <= aim) return doubt ? `**does not count**: ${doubt}` : "holds";
    return reason ? `**missed**: ${reason}` : "**missed**";
  };
  const others = [words(best), ...aside.map((one) => `[${words(one)}]`)].join(" ");
  return [words(ours), others, ratio?.toFixed(2) ?? "-", aim.toFixed(1), verdict()];
}

/** @param {Known} ours @param {Known} best */
function doubt(ours, best) {
  const shows = share(ours, best);
  if (shows < SHOWS_ENOUGH) return `we show ${percent(shows)} of its updates`;
  if (typeof ours.ssim === "number" && typeof best.ssim === "number" && ours.ssim < best.ssim)
    return "our picture is less exact";
  return null;
}

/** Updates shown beside another's; 1 where that does not matter. @param {Known} one @param {Known} other */
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
