/** Room for the frames that can be under way at once, and a little more. */
const MAX_KEPT = 4;
/** 4 KiB: below this, allocating is as cheap as looking. */
const SMALLEST = 4_096;

/**
 * Pixel buffers that travel to the page and come back, so that a moving picture does not make
 * garbage at its own rate. Sizes are powers of two.
 */
export class BufferPool {
  #kept: ArrayBuffer[] = [];

  /** A copy of `bytes` at the start of a buffer that may be longer. */
  copy(bytes: Uint8Array): ArrayBuffer {
    const buffer = this.#take(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  giveBack(buffer: ArrayBuffer): void {
    if (this.#kept.length >= MAX_KEPT) this.#kept.shift();
    this.#kept.push(buffer);
  }

  #take(length: number): ArrayBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(length, SMALLEST)));
    const index = this.#kept.findIndex((buffer) => buffer.byteLength === size);
    const [found] = index < 0 ? [] : this.#kept.splice(index, 1);
    return found ?? new ArrayBuffer(size);
  }
}
