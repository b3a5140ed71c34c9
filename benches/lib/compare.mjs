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
 * @param {Contender[]} contenders
 * @returns {{ ours: number, best: number, others: (figure: (value: number) => string) => string,
 *   doubt: string | null } | null} `others` names that one, and in brackets who has a better
 *   figure but shows too little; `doubt` is why ours does not count although its figure is better
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
  return {
    ours: ours.value,
    best: best.value,
    others: (figure) => {
      const words = (/** @type {Known} */ one) => {
        const shows = share(one, ours);
        const few = shows < SHOWS_ENOUGH ? `, ${percent(shows)} shown` : "";
        return `${figure(one.value)} (${one.stack}${few})`;
      };
      return [words(best), ...aside.map((one) => `[${words(one)}]`)].join(" ");
    },
    doubt: doubt(ours, best),
  };
}

/** @param {{ doubt: string | null }} found @param {boolean} holds @param {string} [reason] for when it does not */
export function verdictWords({ doubt }, holds, reason) {
  if (holds && doubt) return `**does not count**: ${doubt}`;
  if (holds) return "holds";
  return reason ? `**missed**: ${reason}` : "**missed**";
}

/** @param {Known} ours @param {Known} best */
function doubt(ours, best) {
  const shows = share(ours, best);
  if (shows < SHOWS_ENOUGH) return `we show ${percent(shows)} of its updates`;
  if (typeof ours.ssim === "number" && typeof best.ssim === "number" && ours.ssim < best.ssim)
    return `our picture is less exact (SSIM ${ours.ssim.toFixed(4)}, its ${best.ssim.toFixed(4)})`;
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
