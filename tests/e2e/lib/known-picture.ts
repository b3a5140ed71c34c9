// The picture that `gc-workload picture` shows, calculated again: benches/workload/src/picture.rs
// has the same numbers and a test that holds both to five pixels.

/** Runs in the page: how many pixels of the canvas differ from the known picture, and the first of them. */
export function differencesFromKnownPicture(
  element: HTMLElement | SVGElement,
  seed: number,
): { count: number; first?: string } {
  const canvas = element as HTMLCanvasElement;
  const hash = (x: number, y: number): number => {
    let mixed =
      (Math.imul(x, 374_761_393) + Math.imul(y, 668_265_263) + Math.imul(seed, 2_246_822_519)) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 13), 1_274_126_177);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const known = (x: number, y: number): number => {
    const block = hash(x >> 4, y >> 4);
    return (block % 4 === 0 ? hash(x, y) : block) & 0xff_ffff;
  };

  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);

  let count = 0;
  let first: string | undefined;
  for (let y = 0; y < copy.height; y++) {
    for (let x = 0; x < copy.width; x++) {
      const at = (y * copy.width + x) * 4;
      const shown = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
      if (shown === known(x, y) && data[at + 3] === 255) continue;
      count++;
      first ??= `(${x}, ${y}) is ${shown.toString(16)} instead of ${known(x, y).toString(16)}`;
    }
  }
  return { count, first };
}
