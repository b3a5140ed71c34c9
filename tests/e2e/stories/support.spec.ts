import { spawn } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { type Desktop, startDesktop } from "../../../scripts/lib/desktop.mjs";
import { Dashboard, ViewerPage } from "../lib/dashboard";
import { CLAIM_SECRET, expect, type Stack, TECHNICIAN, test } from "../lib/stack";

/** The customer's computer: a desktop, and the window of the program that they started there. */
class Customer {
  constructor(
    readonly desktop: Desktop,
    readonly program: string,
  ) {}

  /** Starts the program exactly as it was downloaded. */
  start(stack: Stack): void {
    chmodSync(this.program, 0o755);
    const child = spawn(this.program, [], {
      env: { ...process.env, ...this.desktop.env },
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

  async disconnect(): Promise<void> {
    await settled();
    this.click(60, null);
  }
}

/** A page that has just appeared takes no clicks: they were meant for what was there before. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 600));
}

/** Types the code on the portal, downloads the program and starts it. */
async function comeWith(code: string, page: Page, stack: Stack): Promise<Customer> {
  const desktop = await startDesktop({
    folder: path.join(stack.folder, "customer"),
    width: 1024,
    height: 768,
  });
  stack.stopAtTheEnd(desktop);
  desktop.ask("xsetroot", ["-solid", "#6f4c2b"]);
  await page.goto(`${stack.server.url}/support`);
  await page.getByRole("textbox").first().fill(code);
  await page.keyboard.press("Enter");
  await expect(page.getByText(TECHNICIAN.display_name)).toBeVisible();
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: /linux/i }).first().click();
  const download = await downloading;
  const program = path.join(stack.folder, download.suggestedFilename());
  await download.saveAs(program);
  const customer = new Customer(desktop, program);
  customer.start(stack);
  return customer;
}

test("a customer is helped, from the code to the program that is gone again", async ({
  page,
  browser,
  unclaimed: stack,
}, testInfo) => {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  stack.server.offerAgent();
  const picture = async (name: string, of: Page) =>
    testInfo.attach(name, { body: await of.screenshot(), contentType: "image/png" });
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  await page.getByRole("button", { name: "Make a code" }).click();
  const label = await page.getByRole("img", { name: /^Code / }).getAttribute("aria-label");
  const code = (label ?? "").replace(/\D/g, "");
  const context = await browser.newContext({ acceptDownloads: true });
  const portal = await context.newPage();

  const customer = await comeWith(code, portal, stack);
  expect(path.basename(customer.program)).toBe(`GuruConnect-${code}`);
  await customer.shows("Waiting for");
  await picture("portal", portal);

  // They write to each other while the customer waits.
  await page.getByLabel("Message to the customer").fill("Hello, this is Tina.");
  await page.getByRole("button", { name: "Send" }).click();
  await customer.shows("Chat (1)");
  await customer.write("Hi Tina, I am here");
  await expect(page.getByLabel("Chat").getByText("Hi Tina, I am here")).toBeVisible();
  await customer.shows("Hello, this is Tina.");
  await page.getByRole("button", { name: "Accept and connect" }).click();

  // Nothing is shown before the answer; the words are the same at both ends.
  const words = page.getByTestId("words");
  await expect(words).toBeVisible();
  await customer.shows(/Let .* see and control this computer/);
  expect(customer.page()).toContain(await words.innerText());
  expect(customer.page()).toContain(TECHNICIAN.display_name);
  await picture("asked", page);
  await customer.allow();
  await new ViewerPage(page).shows({ width: 1024, height: 768 });
  await customer.shows(`${TECHNICIAN.display_name} controls this computer`);
  await picture("connected", page);
  const box = await page.getByTestId("remote-screen").boundingBox();
  if (!box) throw new Error("the screen has no place on the page");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => customer.pointer()).toMatch(/x:51[123] y:38[345]/);

  // The customer ends it from the bar.
  await customer.disconnect();
  await expect(page.getByText(/ended/i).first()).toBeVisible();
  await customer.shows("This program has removed itself");
  expect(existsSync(customer.program)).toBe(false);
  const again = await fetch(`${stack.server.url}/api/support/info?code=${code}`);
  expect(again.status).toBe(404);
  await context.close();
});
