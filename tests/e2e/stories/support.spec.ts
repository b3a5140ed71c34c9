import { existsSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { comeWith } from "../lib/customer";
import { Dashboard, ViewerPage } from "../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../lib/stack";

test("a customer is helped, from the code to the program that is gone again", async ({
  page,
  browser,
  unclaimed: stack,
}, testInfo) => {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  stack.server.offerAgent();
  // Kept beside the test's result: what both of them see at each step.
  const keep = (name: string, body: Buffer) =>
    testInfo.attach(name, { body, contentType: "image/png" });
  const picture = async (name: string, of: Page) => keep(name, await of.screenshot());
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  await page.getByRole("button", { name: "Make a code" }).click();
  const label = await page.getByRole("img", { name: /^Code / }).getAttribute("aria-label");
  const code = (label ?? "").replace(/\D/g, "");
  const context = await browser.newContext({ acceptDownloads: true });
  const portal = await context.newPage();

  await picture("1 the code", page);
  // What people do and read does not count; what they wait for does.
  const waits: number[] = [];
  const waiting = async (forThat: () => Promise<unknown>) => {
    const start = performance.now();
    await forThat();
    waits.push(Math.round(performance.now() - start));
  };
  const customer = await comeWith(code, portal, stack);
  expect(path.basename(customer.program)).toBe(`GuruConnect-${code}`);
  await waiting(() => customer.shows("Waiting for"));
  await picture("2 the support page", portal);
  await keep("3 the program waits", customer.picture());

  // They write to each other while the customer waits.
  await page.getByLabel("Message to the customer").fill("Hello, this is Tina.");
  await page.getByRole("button", { name: "Send" }).click();
  await customer.shows("Chat (1)");
  await customer.write("Hi Tina, I am here");
  await expect(page.getByLabel("Chat").getByText("Hi Tina, I am here")).toBeVisible();
  await customer.shows("Hello, this is Tina.");
  await picture("4 the waiting room", page);
  await keep("5 the chat", customer.picture());
  await page.getByRole("button", { name: "Accept and connect" }).click();

  // Nothing is shown before the answer; the words are the same at both ends.
  const words = page.getByTestId("words");
  await waiting(() => customer.shows(/Let .* see and control this computer/));
  await expect(words).toBeVisible();
  expect(customer.page()).toContain(await words.innerText());
  expect(customer.page()).toContain(TECHNICIAN.display_name);
  await picture("6 the technician's words", page);
  await keep("7 the question", customer.picture());
  await customer.allow();
  await waiting(() => new ViewerPage(page).shows({ width: 1024, height: 768 }));
  const sum = waits.reduce((all, wait) => all + wait, 0);
  console.log(`      from the program's start to the picture: ${sum} ms (${waits.join(" + ")})`);
  await customer.shows(`${TECHNICIAN.display_name} controls this computer`);
  await picture("8 the viewer", page);
  await keep("9 the bar", customer.picture());
  const box = await page.getByTestId("remote-screen").boundingBox();
  if (!box) throw new Error("the screen has no place on the page");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => customer.pointer()).toMatch(/x:51[123] y:38[345]/);

  // The customer ends it from the bar.
  await customer.disconnect();
  await expect(page.getByText(/ended/i).first()).toBeVisible();
  await customer.shows("This program has removed itself");
  await keep("10 the end", customer.picture());
  await picture("11 the code is over", page);
  expect(existsSync(customer.program)).toBe(false);
  const again = await fetch(`${stack.server.url}/api/support/info?code=${code}`);
  expect(again.status).toBe(404);
  await context.close();
});
