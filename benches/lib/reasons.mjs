// @ts-check
// Why a figure of ours may miss its aim, for those who read the results.

/** Bytes of photographs and film. */
export const PHOTOGRAPHIC =
  "ours are exact pixels; the others ask for JPEG (noVNC of quality 6, MeshCentral of 40), and photographs and film are several times smaller with it";

/** Processor time of whole screens. */
export const ALL_OF_IT =
  "ours are exact pixels: half of the time is zstd over every one of them, a fifth copying and comparing pictures (perf), where JPEG drops most of what they hold";

/** Processor time of film. */
export const MOTION =
  "VP9 looks for movement, which JPEG does not: libvpx alone is three fifths of the time (perf), for fewer bytes and less work in the browser";

/** Latency beside a film. */
export const BESIDE_FILM =
  "packing a frame of the film takes both cores for 9 of 33 ms, and a key that comes meanwhile waits for it and for the browser that paints the last one; runs differ by 10 ms either way, and what is shown of the film is half as old";

/** Processor time of what scrolls. */
export const SEARCHING =
  "what scrolled is looked for in every picture and the rest packed exactly, which takes time and saves nearly all of the bytes";

/** Age of whole screens. */
export const PACKED_WHOLE =
  "all of a new screen is compared and packed exactly, a quarter at a time; the others send JPEG";

/** Age of film. */
export const PACKED_FIRST =
  "packing a frame as VP9 takes both cores for 9 ms before any of it leaves";

/** Latency and age of a film of 60 frames a second. */
export const BOTH_CORES =
  "60 frames a second are more than these two cores carry, for the browser paints on them too: capture and packing take 15 ms of each frame, decoding and painting 14 (the viewer's statistics), and next to nothing waits between";

/** Bytes of the smallest updates. */
export const FEW_BYTES =
  "fifty bytes of seal, numbers and rectangle come with an update, however small its pixels are";

/** The smallest latencies. */
export const LOOKING =
  "1.5 ms of every figure are our looking at the canvas every 3 ms, which weighs most in the smallest";

/** Latency over a line. */
export const ROUND_TRIP = "most of it is the line's own round trip, which no program takes away";

/**
 * Exactness of what played.
 *
 * @param {number} kilobitsPerSecond of the line
 */
export const EXACT_PIXELS = (kilobitsPerSecond) =>
  `the exact pixels of the film's last picture are about 0.8 MB where it was not shown before, which alone take this line ${(6_560 / kilobitsPerSecond).toFixed(2)} s; they are sent once it has rested for a tenth of a second`;

/** Processor time beside Xvnc. */
export const X_SERVER =
  "Xvnc is the X server itself and knows what was drawn; everybody else has to look for it";
