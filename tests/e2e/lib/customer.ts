// The customer's side of attended support: the portal in a browser, and the program on a
// desktop of its own, started exactly as it was downloaded.

import { spawn } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { type Desktop, startDesktop } from "../../../scripts/lib/desktop.mjs";
import type { Stack } from "./stack";

/** The customer's computer: a desktop, and the window of the program that they started there. */
export class Customer {
  constructor(
    readonly desktop: Desktop,
    readonly program: string,
  ) {}

  /** Starts the program exactly as it was downloaded. */
  start(stack: Stack, env: Record<string, string> = {}): void {
    chmodSync(this.program, 0o755);
    const child = spawn(this.program, [], {
      env: { ...process.env, ...this.desktop.env, ...env },
      stdio: "ignore",
    });
    stack.stopAtTheEnd({ stop: () => child.kill() });
  }

  /** What is on the window; empty while there is none. */
  page(): string {
    const tree = this.desktop.ask("xwininfo", ["-root", "-tree"]);
    for (const [, id] of tree.matchAll(/(0x[0-9a-f]+) "GuruConnect support"/g)) {
      const told = this.desktop.ask("xprop", ["-id", id ?? "", "_GURUCONNECT_PAGE"]);
      const text = /= "(.*)"$/s.exec(told.trim())?.[1];
      if (text) return text.replaceAll("\\n", "\n");
    }
    return "";
  }

  async shows(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.page()).toMatch(text);
  }

  /** Clicks into the window, so far from its right and lower edges. */
  click(right: number, bottom: number | null): void {
    const window = this.desktop.ask("xdotool", ["search", "--name", "GuruConnect support"]);
    const id = window.trim().split("\n").at(-1) ?? "";
    const shape = this.desktop.ask("xdotool", ["getwindowgeometry", "--shell", id]);
    const number = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(shape)?.[1]);
    const y = bottom === null ? 26 : number("HEIGHT") - bottom;
    const x = number("WIDTH") - right;
    this.desktop.ask("xdotool", ["mousemove", "--window", id, `${x}`, `${y}`, "click", "1"]);
  }

  /** Opens the chat by keyboard and writes a line. */
  async write(line: string): Promise<void> {
    await settled();
    this.desktop.ask("xdotool", ["search", "--name", "GuruConnect support", "windowfocus"]);
    this.desktop.ask("xdotool", ["key", "Tab", "key", "Return"]);
    await this.shows("Hide chat");
    this.desktop.ask("xdotool", ["type", line]);
    this.desktop.ask("xdotool", ["key", "Return"]);
  }

  /** Where the pointer is. */
  pointer(): string {
    const place = this.desktop.ask("xdotool", ["getmouselocation"]);
    return /x:\d+ y:\d+/.exec(place)?.[0] ?? "";
  }

  async allow(): Promise<void> {
    await settled();
    this.click(60, 44);
  }

  async decline(): Promise<void> {
    await settled();
    this.click(160, 44);
  }

  /** From the page that waits. */
  async leave(): Promise<void> {
    await settled();
    this.click(60, 44);
  }

  async disconnect(): Promise<void> {
    await settled();
    this.click(60, null);
  }

  /** The whole desktop as a PNG. */
  picture(): Buffer {
    const file = `${this.program}.png`;
    this.desktop.ask("import", ["-window", "root", file]);
    return readFileSync(file);
  }
}

/** A page that has just appeared takes no clicks: they were meant for what was there before. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 600));
}

/** A computer of a customer, with nothing on it yet. */
export async function customersDesktop(
  stack: Stack,
  name = "customer",
  size = { width: 1024, height: 768 },
): Promise<Desktop> {
  const desktop = await startDesktop({ folder: path.join(stack.folder, name), ...size });
  stack.stopAtTheEnd(desktop);
  desktop.ask("xsetroot", ["-solid", "#6f4c2b"]);
  return desktop;
}

/** Types a code on the support page. */
export async function typeCode(code: string, page: Page, url: string): Promise<void> {
  await page.goto(`${url}/support`);
  await page.getByLabel("Support code").fill(code);
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Downloads the program on the page that is open, into the stack's folder or one of its own in there. */
export async function download(page: Page, stack: Stack, folder = ""): Promise<string> {
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: /linux/i }).first().click();
  const file = await downloading;
  const program = path.join(stack.folder, folder, file.suggestedFilename());
  await file.saveAs(program);
  return program;
}

/** Types the code on the portal, downloads the program and starts it. */
export async function comeWith(
  code: string,
  page: Page,
  stack: Stack,
  env: Record<string, string> = {},
): Promise<Customer> {
  const desktop = await customersDesktop(stack);
  await typeCode(code, page, stack.server.url);
  const customer = new Customer(desktop, await download(page, stack));
  customer.start(stack, env);
  return customer;
}
