// The portal works without this: it shows how far the help has come, carries the
// chat, and solves the small piece of work that the server asks for while somebody
// tries many codes.
"use strict";
(() => {
  const POLL_MS = 2000;
  const byId = (id) => document.getElementById(id);

  // ------------------------------------------------------------------ work
  const K = new Uint32Array(64);
  const START = new Uint32Array(8);
  {
    const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
    let found = 0;
    for (let n = 2; found < 64; n += 1) {
      let prime = true;
      for (let d = 2; d * d <= n; d += 1) if (n % d === 0) prime = false;
      if (!prime) continue;
      if (found < 8) START[found] = fraction(Math.sqrt(n));
      K[found] = fraction(Math.cbrt(n));
      found += 1;
    }
  }

  const words = new Uint32Array(64);

  /** SHA-256 of ASCII text; its first word. */
  function firstWord(text) {
    const blocks = ((text.length + 8) >> 6) + 1;
    const bytes = new DataView(new ArrayBuffer(blocks * 64));
    for (let i = 0; i < text.length; i += 1) bytes.setUint8(i, text.charCodeAt(i));
    bytes.setUint8(text.length, 0x80);
    bytes.setUint32(blocks * 64 - 4, text.length * 8);
    const state = Uint32Array.from(START);
    for (let block = 0; block < blocks; block += 1) {
      for (let i = 0; i < 16; i += 1) words[i] = bytes.getUint32(block * 64 + i * 4);
      for (let i = 16; i < 64; i += 1) {
        const a = words[i - 15];
        const b = words[i - 2];
        const s0 = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
        const s1 = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
        words[i] = words[i - 16] + s0 + words[i - 7] + s1;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((value, i) => {
        state[i] += value;
      });
    }
    return state[0];
  }

  const work = byId("work");
  if (work) {
    const { challenge, difficulty } = work.dataset;
    work.hidden = false;
    let answer = 0;
    const solve = () => {
      const until = performance.now() + 30;
      while (performance.now() < until) {
        for (let i = 0; i < 500; i += 1) {
          if (Math.clz32(firstWord(challenge + answer)) >= Number(difficulty)) {
            byId("challenge").value = challenge;
            byId("answer").value = String(answer);
            byId("form").submit();
            return;
          }
          answer += 1;
        }
      }
      setTimeout(solve, 0);
    };
    setTimeout(solve, 0);
  }

  // -------------------------------------------------------------- progress
  const progress = byId("progress");
  if (!progress) return;
  const { ticket } = progress.dataset;
  const phase = byId("phase");
  const order = ["downloaded", "connected", "accepted", "finished"];
  const over = ["finished", "refused", "cancelled"];
  let shown = "";

  function show(state) {
    if (state === shown) return;
    shown = state;
    phase.textContent = phase.dataset[state] ?? "";
    const reached = order.indexOf(state);
    for (const item of progress.querySelectorAll("li")) {
      const at = order.indexOf(item.dataset.step);
      item.toggleAttribute("data-done", at <= reached);
      if (at === reached + 1 && !over.includes(state)) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    }
    byId("get").hidden = !["open", "downloaded", "offline"].includes(state) && reached !== 0;
    byId("talk").hidden = moved || over.includes(state);
  }

  /** Asks the server; `line` is a line of the chat to say. */
  async function ask(path, line) {
    const headers = { "support-ticket": ticket };
    const options = { cache: "no-store", headers };
    if (line) {
      headers["content-type"] = "application/json";
      options.method = "POST";
      options.body = JSON.stringify(line);
    }
    const response = await fetch(`/api/support/${path}`, options);
    if (!response.ok) throw new Error(String(response.status));
    return response;
  }

  const lines = byId("lines");
  let last = 0;

  function add(line) {
    if (line.id <= last) return;
    last = line.id;
    const item = document.createElement("li");
    item.toggleAttribute("data-own", line.from_guest);
    const author = document.createElement("small");
    author.textContent = line.from_guest ? lines.dataset.you : line.author;
    // Text only: nothing that anybody writes becomes a link here.
    item.append(author, document.createTextNode(line.text));
    lines.append(item);
    lines.scrollTop = lines.scrollHeight;
  }

  let moved = false;

  async function readChat() {
    if (moved) return;
    try {
      const chat = await (await ask("chat")).json();
      chat.items.forEach(add);
    } catch (error) {
      // The program that was started has the chat.
      if (error.message !== "403") throw error;
      moved = true;
      byId("talk").hidden = true;
    }
  }

  async function poll() {
    try {
      const status = await (await ask("status")).json();
      await readChat();
      show(status.phase);
      if (over.includes(status.phase)) return;
    } catch {
      shown = "";
      phase.textContent = phase.dataset.offline;
    }
    setTimeout(poll, document.hidden ? POLL_MS * 3 : POLL_MS);
  }

  byId("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = byId("text");
    const error = byId("unsent");
    const text = field.value.trim();
    if (text === "") return;
    const client_id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    try {
      await ask("chat", { client_id, text });
      if (field.value.trim() === text) field.value = "";
      error.hidden = true;
      await readChat();
    } catch {
      error.hidden = false;
    }
  });

  progress.hidden = false;
  show(progress.dataset.phase);
  poll();
})();
