import type { Film, FilmFormat, FilmMaker, Frame } from "./messages.ts";

const FORMAT: Record<FilmFormat, string> = {
  vp9: "VP9",
  vp9_full_chroma: "VP9, full colour",
  h264: "H.264",
};

/** How far a film's sides are reduced. */
const SCALE: Record<number, string> = { 1: "", 2: "half size", 4: "quarter size" };

/**
 * How the picture travels, in words: `film` is what played a moment ago and what packs it,
 * `last` the newest frame of all.
 */
export function pictureSentence(
  film: { film: Film; maker: FilmMaker | null } | null,
  last: Frame,
): string {
  if (film !== null) return filmSentence(film.film, film.maker);
  return last.reduced ? "Pixels with fewer colours" : "Exact pixels";
}

function filmSentence(film: Film, maker: FilmMaker | null): string {
  const [width, height] = film.coded;
  const way = [
    `Film: ${FORMAT[film.format]}${maker === null ? "" : ` (${describeMaker(maker)})`}`,
    `${width} × ${height}`,
    describeScale(film.area[2] / width),
  ];
  return way.filter((part) => part !== "").join(", ");
}

function describeMaker({ name, hardware }: FilmMaker): string {
  const kind = hardware ? "hardware" : "software";
  return name.trim() === "" ? kind : `${kind}: ${name.trim()}`;
}

/** Encoders take sides of whole pixels or pairs, so the scale is a whole number but for a little. */
function describeScale(times: number): string {
  return SCALE[Math.round(times)] ?? `1/${Math.round(times)} size`;
}
