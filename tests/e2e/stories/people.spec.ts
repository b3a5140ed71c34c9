// A second technician: added by the administrator, signed in with the password that was passed
// on, and out again at once when the access is taken away.

import { Dashboard } from "../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../lib/stack";

test("an administrator adds a technician and takes the access away again", async ({
  page,
  browser,
  unclaimed: stack,
}, testInfo) => {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open("/people");
  await dashboard.signIn(TECHNICIAN);

  await page.getByRole("button", { name: "Add somebody" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Grace Hopper");
  await page.getByLabel("User name").fill("grace");
  const password = await page.getByLabel("Password", { exact: true }).inputValue();
  await testInfo.attach("adding", { body: await page.screenshot(), contentType: "image/png" });
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("row", { name: /Grace Hopper/ })).toContainText("Technician");
  await testInfo.attach("people", { body: await page.screenshot(), contentType: "image/png" });

  const context = await browser.newContext();
  const grace = new Dashboard(await context.newPage(), stack.server.url);
  await grace.open("/");
  await grace.signIn({ username: "grace", password });
  await expect(grace.page.getByRole("link", { name: "Support" })).toBeVisible();
  await expect(grace.page.getByRole("link", { name: "People" })).toBeHidden();

  await page.getByRole("button", { name: "What to do with Grace Hopper" }).click();
  await page.getByRole("menuitem", { name: "Take their access away…" }).click();
  await page.getByRole("button", { name: "Take it away" }).click();
  await expect(page.getByRole("row", { name: /Grace Hopper/ })).toContainText("cannot sign in");
  await grace.page.reload();
  await expect(grace.page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await grace.signIn({ username: "grace", password });
  await expect(grace.page.getByRole("alert")).toContainText("wrong");
  await context.close();
});
