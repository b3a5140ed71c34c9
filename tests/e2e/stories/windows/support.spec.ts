import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { Dashboard, ViewerPage } from "../../lib/dashboard";
import { expect, type Stack, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { windowsFor } from "../../lib/windows-machine";

/** What the portal sees of a customer with Edge. */
const EDGE =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0";

/** The customer's Windows, and the window of the program that they started there. */
class Customer {
  constructor(
    readonly windows: WindowsDesktop,
    readonly program: string,
  ) {}

  /** What is on the window, as a reader of screens finds it. */
  page(): string {
    return this.windows.ask("read-guest").replaceAll("\r", "");
  }

  async shows(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.page(), { timeout: 40_000 }).toMatch(text);
  }

  /** Clicks a button with the mouse, where it is on the screen. */
  async press(label: string): Promise<void> {
    await settled();
    const { x, y, width, height } = JSON.parse(this.windows.ask("place-guest", label));
    const middle = [Math.round(x + width / 2), Math.round(y + height / 2)].map(String);
    this.windows.hand("mousemove", ...middle, "click", "1");
  }

  /** Where the pointer is, on the screen that Windows is shown on. */
  pointer(): string {
    return /x:\d+ y:\d+/.exec(this.windows.hand("getmouselocation"))?.[0] ?? "";
  }
}

/** A page that has just appeared takes no yes: it was meant for what was there before. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 600));
}

/** Makes a code, as a technician does on the dashboard. */
async function makeCode(page: Page, stack: Stack): Promise<string> {
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  await page.getByRole("button", { name: "Make a code" }).click();
  const label = await page.getByRole("img", { name: /^Code / }).getAttribute("aria-label");
  return (label ?? "").replace(/\D/g, "");
}

/** Types the code on the portal, takes the download that it proposes, and opens it. */
async function comeWith(
  code: string,
  page: Page,
  stack: Stack,
  windows: WindowsDesktop,
): Promise<Customer> {
  await page.goto(`${stack.server.url}/support`);
  await page.getByRole("textbox").first().fill(code);
  await page.keyboard.press("Enter");
  await expect(page.getByText(TECHNICIAN.display_name)).toBeVisible();
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download for Windows" }).click();
  const download = await downloading;
  const program = path.join(stack.folder, download.suggestedFilename());
  await download.saveAs(program);
  // As by a double click: without administrator rights.
  windows.run("windows-helper.exe", "limited", `Z:${program.replaceAll("/", "\\")}`);
  return new Customer(windows, program);
}

test("a customer on Windows is helped, from the code to the program that is gone again", async ({
  page,
  browser,
  unclaimed: stack,
}, testInfo) => {
  const windows = await windowsFor(stack);
  stack.server.offerAgent();
  const settings = windows.settings();
  const picture = async (name: string) => {
    await testInfo.attach(name, {
      body: await page.screenshot(),
      contentType: "image/png",
    });
    const screen = { body: windows.picture(), contentType: "image/png" };
    await testInfo.attach(`${name}, the customer's screen`, screen);
  };
  const code = await makeCode(page, stack);
  const context = await browser.newContext({
    acceptDownloads: true,
    userAgent: EDGE,
  });
  const customer = await comeWith(code, await context.newPage(), stack, windows);
  expect(path.basename(customer.program)).toBe(`GuruConnect-${code}.exe`);
  await customer.shows(/Waiting for/);

  // They write to each other while the customer waits.
  await page.getByLabel("Message to the customer").fill("Hello, this is Tina.");
  await page.getByRole("button", { name: "Send" }).click();
  await customer.shows("[Chat (1)]");
  await customer.press("Chat (1)");
  await customer.shows("Tina Technician: Hello, this is Tina.");
  await picture("chat");
  windows.hand("type", "--delay", "30", "Hi Tina, I am here");
  windows.hand("key", "Return");
  await expect(page.getByLabel("Chat").getByText("Hi Tina, I am here")).toBeVisible();
  await page.getByRole("button", { name: "Accept and connect" }).click();

  // Nothing is shown before the answer; the words are the same at both ends.
  const words = page.getByTestId("words");
  await expect(words).toBeVisible();
  await customer.shows(/Let .* see and control this computer/);
  expect(customer.page()).toContain(await words.innerText());
  expect(customer.page()).toContain(TECHNICIAN.display_name);
  await picture("asked");
  await customer.press("Allow");
  await new ViewerPage(page).shows(WindowsDesktop.size);
  await customer.shows(`${TECHNICIAN.display_name} controls this computer`);
  await picture("connected");
  await new ViewerPage(page).moveTo(640, 450);
  await expect.poll(() => customer.pointer()).toMatch(/x:6(39|40|41) y:4(49|50|51)/);

  // The customer ends it from the bar, with the keyboard free for it.
  await customer.press("Disconnect");
  await picture("ended");
  await expect(page.getByText(/ended/i).first()).toBeVisible();
  await customer.shows("This program removes itself when this window is closed");
  await customer.press("Close");
  await expect.poll(() => existsSync(customer.program), { timeout: 40_000 }).toBe(false);
  const rest = () => windows.processes((words) => words.some((word) => word.includes(code)));
  await expect.poll(rest).toEqual([]);
  expect(windows.settings().filter((line) => !settings.includes(line))).toEqual([]);
  expect(windows.files().filter((name) => /guruconnect/i.test(name))).toEqual([]);
  const again = await fetch(`${stack.server.url}/api/support/info?code=${code}`);
  expect(again.status).toBe(404);
  const audit = (await stack.server.api.call("GET", "/api/audit")).items;
  const actions = audit.map(({ action }: { action: string }) => action);
  for (const action of ["support_code.claimed", "consent.answered", "support_code.completed"])
    expect(actions).toContain(action);
  await context.close();
});

test("the person gives administrator rights, and the session goes on with them", async ({
  page,
  browser,
  unclaimed: stack,
}, testInfo) => {
  const windows = await windowsFor(stack);
  stack.server.offerAgent();
  const code = await makeCode(page, stack);
  const context = await browser.newContext({ acceptDownloads: true, userAgent: EDGE });
  const customer = await comeWith(code, await context.newPage(), stack, windows);
  await page.getByRole("button", { name: "Accept and connect" }).click();
  await customer.shows(/Let .* see and control this computer/);
  await customer.press("Allow");
  const viewer = new ViewerPage(page);
  await viewer.shows(WindowsDesktop.size);
  const programs = () => windows.processes((words) => words.some((word) => word.includes(code)));
  const before = programs();

  // A no is a no, and asking again is possible.
  await viewer.button("Ask for administrator rights").click();
  await customer.shows("Give Tina Technician administrator rights?");
  await customer.press("Decline");
  await expect(page.getByText("did not agree to administrator rights")).toBeVisible();
  await viewer.button("Ask for administrator rights").click();
  await customer.shows("Give Tina Technician administrator rights?");
  // The technician's own mouse presses nothing on this question.
  const place = JSON.parse(windows.ask("place-guest", "Allow"));
  await settled();
  await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
  await settled();
  expect(customer.page()).toContain("Give Tina Technician administrator rights?");
  await customer.press("Allow");

  // Another program has the session, and nobody was asked again.
  await customer.shows("with administrator rights");
  await expect(viewer.button("The program has administrator rights")).toBeVisible();
  await viewer.isLive();
  await viewer.shows(WindowsDesktop.size);
  expect(programs().filter((id) => before.includes(id))).toEqual([]);
  const lines = programs().map((id) => readFileSync(`/proc/${id}/cmdline`, "utf8"));
  expect(lines.filter((line) => /cak_|127\.0\.0\.1/.test(line))).toEqual([]);
  await testInfo.attach("elevated", { body: windows.picture(), contentType: "image/png" });
  await viewer.moveTo(640, 450);
  await expect.poll(() => customer.pointer()).toMatch(/x:6(39|40|41) y:4(49|50|51)/);
  await customer.press("Disconnect");
  await customer.shows("This program removes itself when this window is closed");
  await customer.press("Close");
  await expect.poll(() => existsSync(customer.program), { timeout: 40_000 }).toBe(false);
  await context.close();
});
