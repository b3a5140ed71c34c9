// @ts-check
// A slow line in the middle of a TCP connection: a proxy that carries each direction at a
// given rate and delivers it after a given delay. No chance is involved: the same bytes at
// the same times come out at the same times.

import net from "node:net";

/** Bytes in one carried packet: a usual segment on Ethernet. */
const PACKET_BYTES = 1_460;
/** Bytes that wait in the line before it stops taking more: a quarter second's worth, at least this. */
const LEAST_QUEUE_BYTES = 8 * PACKET_BYTES;

/**
 * One direction of one connection.
 */
class Pipe {
  /** @type {{ at: number, bytes: Buffer }[]} */
  #queue = [];
  #queued = 0;
  #lineFreeAt = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #ended = false;

  /**
   * @param {net.Socket} from
   * @param {net.Socket} to
   * @param {SlowLink} link
   * @param {'up' | 'down'} direction
   */
  constructor(from, to, link, direction) {
    this.from = from;
    this.to = to;
    this.link = link;
    this.direction = direction;
    from.on("data", (bytes) => this.#take(bytes));
    from.on("end", () => {
      this.#ended = true;
      this.#deliver();
    });
    to.on("drain", () => this.#deliver());
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    for (let start = 0; start < bytes.length; start += PACKET_BYTES) {
      const packet = bytes.subarray(start, start + PACKET_BYTES);
      const now = performance.now();
      const { bytesPerSecond, delayMs } = this.link;
      const startsAt = Math.max(now, this.#lineFreeAt);
      this.#lineFreeAt = startsAt + (packet.length / bytesPerSecond) * 1_000;
      this.#queue.push({ at: this.#lineFreeAt + delayMs, bytes: packet });
      this.#queued += packet.length;
      this.link.carried[this.direction] += packet.length;
    }
    if (this.#queued > this.#mostQueued()) this.from.pause();
    this.#deliver();
  }

  #mostQueued() {
    const { bytesPerSecond, delayMs } = this.link;
    return Math.max(LEAST_QUEUE_BYTES, bytesPerSecond * (0.25 + delayMs / 1_000));
  }

  #deliver() {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && !this.to.destroyed) {
      const wait = this.link.stalled
        ? Number.POSITIVE_INFINITY
        : this.#queue[0].at - performance.now();
      if (wait > 0) {
        if (Number.isFinite(wait)) this.#timer = setTimeout(() => this.#deliver(), wait);
        return;
      }
      const { bytes } = /** @type {{ bytes: Buffer }} */ (this.#queue.shift());
      this.#queued -= bytes.length;
      if (this.#queued <= this.#mostQueued()) this.from.resume();
      if (!this.to.write(bytes)) return;
    }
    if (this.#ended && this.#queue.length === 0) this.to.end();
  }

  wake() {
    this.#deliver();
  }
}

/** A port of the loopback interface that leads to another one over a line that can be made slow. */
export class SlowLink {
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** One way; both directions have it. */
  delayMs = 0;
  /** Nothing arrives while this is set; nothing is lost either. */
  stalled = false;
  /** Bytes taken in so far. */
  carried = { up: 0, down: 0 };
  #server;
  /** @type {Set<net.Socket>} */
  #sockets = new Set();
  /** @type {Set<Pipe>} */
  #pipes = new Set();

  /** @param {number} target port */
  constructor(target) {
    this.#server = net.createServer({ allowHalfOpen: true }, (near) => {
      const far = net.connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
      const up = new Pipe(near, far, this, "up");
      const down = new Pipe(far, near, this, "down");
      this.#pipes.add(up).add(down);
      for (const socket of [near, far]) {
        socket.setNoDelay(true);
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          this.#pipes.delete(up);
          this.#pipes.delete(down);
          near.destroy();
          far.destroy();
        });
      }
    });
  }

  /** @param {number} [port] 0 lets the system choose */
  async listen(port = 0) {
    await new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => resolve(undefined));
    });
    return this.port;
  }

  get port() {
    return /** @type {net.AddressInfo} */ (this.#server.address()).port;
  }

  /**
   * From now on; what is on its way arrives as it would have.
   *
   * @param {{ kilobitsPerSecond?: number, roundTripMs?: number }} line
   */
  become({ kilobitsPerSecond = Number.POSITIVE_INFINITY, roundTripMs = 0 }) {
    this.bytesPerSecond = (kilobitsPerSecond * 1_000) / 8;
    this.delayMs = roundTripMs / 2;
  }

  /** @param {boolean} stalled */
  stall(stalled) {
    this.stalled = stalled;
    for (const pipe of this.#pipes) pipe.wake();
  }

  /** Breaks every connection, as a router that restarts does. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }
}
