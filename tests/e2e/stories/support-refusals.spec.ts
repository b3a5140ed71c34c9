// What a customer reads when help does not come about: on the support page, and in the
// window of the real program on an X11 desktop.

import { copyFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { Customer, comeWith, customersDesktop, download, typeCode } from "../lib/customer";
import { Dashboard, ViewerPage } from "../lib/dashboard";
import { CLAIM_SECRET, expect, type Stack, TECHNICIAN, test } from "../lib/stack";

const NOT_ACTIVE =
  "This code is not active. Check the digits, or ask your technician for a new one.";
const USED_UP = /This support code is not valid any more: it was used, it was cancelled, or it has/;

interface Code {
  id: string;
  code: string;
  link: string;
}

/** A claimed server that has a program for customers. */
async function opened(stack: Stack): Promise<void> {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  stack.server.offerAgent();
}

/** A new code, made by the technician. */
function newCode(stack: Stack, more: object = {}): Promise<Code> {
  return stack.server.api.call("POST", "/api/support-codes", { assigned_to_me: true, ...more });
}

/** The technician at the code's page. */
async function technicianAt(code: Code, page: Page, stack: Stack): Promise<Dashboard> {
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open(`/support-codes/${code.id}`);
  await dashboard.signIn(TECHNICIAN);
  await expect(page.locator("#support-title")).toBeVisible();
  return dashboard;
}

/** The technician lets the customer in, who is asked now. */
async function ask(page: Page, customer: Customer): Promise<void> {
  await page.getByRole("button", { name: "Accept and connect" }).click();
  await customer.shows(/Let .* see and control this computer/);
}

function answers(stack: Stack): Promise<string[]> {
  return stack.server.api
    .call("GET", "/api/audit?action=consent.answered")
    .then(({ items }) => items.map((item: { detail: { answer: string } }) => item.detail.answer));
}

test("a customer who says no is told that nothing is shown", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  await technicianAt(code, page, stack);
  const portal = await context.newPage();
  const customer = await comeWith(code.code, portal, stack);
  await ask(page, customer);

  await customer.decline();

  await customer.shows(/Nothing is shown\n(.*\n)*You said no\./);
  await expect(page.getByText("The person at the machine did not allow")).toBeVisible();
  await expect.poll(() => answers(stack)).toEqual(["declined"]);
  await customer.leave();
  await customer.shows(
    "You have ended the support session. Nothing is shared any more. This program has removed itself.",
  );
  await expect(portal.getByText("Finished. The program has removed itself")).toBeVisible();
});

test("a customer who does not answer in time is told that this means no", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  await technicianAt(code, page, stack);
  const portal = await context.newPage();
  const customer = await comeWith(code.code, portal, stack, { GURUCONNECT_ANSWER_SECONDS: "3" });

  await ask(page, customer);

  expect(customer.page()).toContain("No answer within 3 seconds means no.");
  await customer.shows(/Nothing is shown\n(.*\n)*You did not answer in time, which means no\./);
  await expect(page.getByText("Nobody at the machine answered")).toBeVisible();
  await expect.poll(() => answers(stack)).toEqual(["timed_out"]);
});

test("a wrong code is refused in words, and after a few the page asks to wait", async ({
  page,
  unclaimed: stack,
}) => {
  await opened(stack);
  const { code } = await newCode(stack);
  const wrong = code === "111111" ? "222222" : "111111";

  for (let n = 0; n < 5; n++) {
    await typeCode(wrong, page, stack.server.url);
    await expect(page.getByRole("alert")).toHaveText(NOT_ACTIVE);
    await expect(page.getByLabel("Support code")).toHaveValue(wrong);
  }
  await typeCode(wrong, page, stack.server.url);

  await expect(page.getByRole("alert")).toHaveText(
    /^Too many wrong codes came from your network\. Please wait \d+ seconds and try again, or ask your technician for a link\.$/,
  );
});

test("a program whose file names another code says that the code is not valid", async ({
  page,
  unclaimed: stack,
}) => {
  await opened(stack);
  const { code } = await newCode(stack);
  const desktop = await customersDesktop(stack);
  await typeCode(code, page, stack.server.url);
  const program = await download(page, stack);
  const renamed = path.join(stack.folder, `GuruConnect-${code === "111111" ? "222222" : "111111"}`);
  copyFileSync(program, renamed);
  const customer = new Customer(desktop, renamed);

  customer.start(stack);

  await customer.shows(USED_UP);
});

test("a code that was taken back says so on the page and in the waiting room", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const [early, late] = [await newCode(stack), await newCode(stack)];
  await technicianAt(early, page, stack);
  const portal = await context.newPage();
  await typeCode(early.code, portal, stack.server.url);
  await expect(portal.getByText("Ready: download the program.")).toBeVisible();

  await page.getByRole("button", { name: "Cancel the code" }).click();

  await expect(
    portal.getByText("This code was taken back or is out of date. Please ask for a new one."),
  ).toBeVisible();
  await expect(portal.getByRole("link", { name: /linux/i })).toBeHidden();
  await typeCode(early.code, portal, stack.server.url);
  await expect(portal.getByRole("alert")).toHaveText(NOT_ACTIVE);

  const customer = await comeWith(late.code, portal, stack);
  await customer.shows("Waiting for");
  await page.goto(`${stack.server.url}/support-codes/${late.id}`);
  await page.getByRole("button", { name: "Cancel the code" }).click();
  await customer.shows("The support code was cancelled or has expired. Ask your technician for");
});

test("a customer who is refused reads that they need a new code", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  await technicianAt(code, page, stack);
  const portal = await context.newPage();
  const customer = await comeWith(code.code, portal, stack);

  await page.getByRole("button", { name: "Refuse" }).click();

  await customer.shows("Your technician cannot help with this code right now. Ask them for a new");
  await expect(portal.getByText("Your technician could not take you now.")).toBeVisible();
});

test("a code whose time is over says so on the page and in the waiting room", async ({
  page,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack, { expires_in_seconds: 8 });
  const customer = await comeWith(code.code, page, stack);
  await customer.shows("Waiting for");

  await customer.shows("The support code was cancelled or has expired. Ask your technician for");
  await expect(
    page.getByText("This code was taken back or is out of date. Please ask for a new one."),
  ).toBeVisible();
  await typeCode(code.code, page, stack.server.url);
  await expect(page.getByRole("alert")).toHaveText(NOT_ACTIVE);
});

test("a code works once: whoever comes second is sent to the technician", async ({
  page,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  const first = await comeWith(code.code, page, stack);
  await first.shows("Waiting for");

  const second = new Customer(await customersDesktop(stack, "second"), `${first.program}`);
  second.start(stack);

  await second.shows(USED_UP);
  await first.shows("Waiting for");
  await typeCode(code.code, page, stack.server.url);
  await expect(page.getByRole("alert")).toHaveText(NOT_ACTIVE);
});

test("of two who come with one code at once, one waits and the other is told", async ({
  page,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  await typeCode(code.code, page, stack.server.url);
  const both = [
    new Customer(await customersDesktop(stack, "one"), await download(page, stack, "a")),
    new Customer(await customersDesktop(stack, "other"), await download(page, stack, "b")),
  ];

  for (const customer of both) customer.start(stack);

  const waiting = () => both.filter((customer) => /Waiting for/.test(customer.page())).length;
  const told = () => both.filter((customer) => USED_UP.test(customer.page())).length;
  await expect.poll(() => [waiting(), told()]).toEqual([1, 1]);
});

test("a technician who leaves the waiting room finds the customer still waiting", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const code = await newCode(stack);
  await technicianAt(code, page, stack);
  const portal = await context.newPage();
  const customer = await comeWith(code.code, portal, stack);
  await expect(page.getByRole("heading", { name: "Is this your customer?" })).toBeVisible();

  await page.close();

  await customer.shows(/Waiting for Tina Technician\n(.*\n)*.*Nothing of your screen is shown yet/);
  await expect(
    portal.getByText("You are connected. Your technician will let you in."),
  ).toBeVisible();
  const again = await context.newPage();
  const dashboard = new Dashboard(again, stack.server.url);
  await dashboard.open(`/support-codes/${code.id}`);
  await ask(again, customer);

  // Nobody is left to answer to: the question goes, and a little later the help is over.
  await again
    .getByRole("button", { name: /leave|close|disconnect/i })
    .first()
    .click();
  await customer.shows(/is getting ready/);
  await customer.shows(
    "Your technician has ended the support session. Nothing is shared any more.",
  );
});

test("a connection that is lost while the customer is asked comes back with the question", async ({
  page,
  context,
  unclaimed: stack,
}) => {
  await opened(stack);
  const line = await stack.slowLink();
  const code = await newCode(stack);
  await technicianAt(code, page, stack);
  const portal = await context.newPage();
  const desktop = await customersDesktop(stack);
  // The customer comes over a line of their own, which the program is told of, too.
  await typeCode(code.code, portal, `http://127.0.0.1:${line.port}`);
  const customer = new Customer(desktop, await download(portal, stack));
  customer.start(stack);
  await ask(page, customer);
  const { port } = line;

  await line.stop();

  await customer.shows("The connection to the server is lost. Trying again…");
  expect(customer.page()).not.toContain("Allow");
  await expect(portal.getByText("The server cannot be reached. Trying again…")).toBeVisible();
  await line.listen(port);
  await customer.shows(/Let .* see and control this computer/);
  await customer.allow();
  await new ViewerPage(page).shows({ width: 1024, height: 768 });
});
