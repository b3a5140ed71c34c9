// Not a test: takes the pictures of docs/support.md. `make screenshots` runs it.

import { copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Customer, customersDesktop, download, typeCode } from "../../lib/customer";
import { Dashboard, ViewerPage } from "../../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../../lib/stack";
import { windowTitled } from "../../lib/windows-on-desktop";

const IMAGES = fileURLToPath(new URL("../../../../docs/images", import.meta.url));
const image = (name: string) => path.join(IMAGES, `support-${name}.png`);

test.use({
  viewport: { width: 1180, height: 760 },
  colorScheme: "light",
  serverEnv: { SUPPORT_COMPANY: "Contoso IT", SUPPORT_REQUESTS: "true" },
});

test("pictures of attended support", async ({ page, browser, unclaimed: stack }) => {
  await stack.server.api.claim(CLAIM_SECRET, TECHNICIAN);
  stack.server.offerAgent();
  // So that the pages offer both systems; nobody starts this one.
  const agents = path.join(stack.folder, "data", "agents");
  copyFileSync(path.join(agents, "guruconnect-agent"), path.join(agents, "guruconnect-agent.exe"));
  const dashboard = new Dashboard(page, stack.server.url);
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  await page.getByRole("button", { name: "Not now" }).click();
  await page.getByRole("textbox", { name: "Customer" }).fill("Ms Miller, accounting");
  await page.getByRole("button", { name: "Make a code" }).click();
  const label = await page.getByRole("img", { name: /^Code / }).getAttribute("aria-label");
  const code = (label ?? "").replace(/\D/g, "");
  await page.screenshot({ path: image("code") });

  const context = await browser.newContext({
    acceptDownloads: true,
    viewport: { width: 760, height: 620 },
    colorScheme: "light",
  });
  const portal = await context.newPage();
  await portal.goto(`${stack.server.url}/support`);
  await portal.getByLabel("Support code").fill(code);
  await portal.screenshot({ path: image("enter") });
  await typeCode(code, portal, stack.server.url);
  await expect(portal.getByText("Ready: download the program.")).toBeVisible();
  await portal.screenshot({ path: image("download"), fullPage: true });

  const desktop = await customersDesktop(stack, "customer", { width: 900, height: 620 });
  desktop.ask("xsetroot", ["-solid", "#31506b"]);
  const font = ["-fa", "DejaVu Sans Mono", "-fs", "10"];
  desktop.run("xterm", [
    ...[...font, "-geometry", "58x12+30+40", "-title", "Invoices"],
    ...[
      "-e",
      "printf 'March invoices\\n\\n  1041  Northwind     1,240.00\\n  1042  Fabrikam        310.50\\n  1043  Adatum        2,075.00  <- ?\\n'; exec sleep 600",
    ],
  ]);
  await windowTitled(desktop, "Invoices");
  const customer = new Customer(desktop, await download(portal, stack));
  customer.start(stack);
  await customer.shows("Waiting for");
  await page.getByLabel("Message to the customer").fill("Hello Ms Miller, this is Tina.");
  await page.getByRole("button", { name: "Send" }).click();
  await customer.shows("Chat (1)");
  writeFileSync(image("program-waits"), customer.picture());
  await customer.write("Hi Tina! It is invoice 1043.");
  await expect(page.getByLabel("Chat").getByText("It is invoice 1043.")).toBeVisible();
  await expect(portal.getByText("You are connected.")).toBeVisible();
  await page.screenshot({ path: image("waiting-room") });
  await portal.screenshot({ path: image("progress"), fullPage: true });

  await page.getByRole("button", { name: "Accept and connect" }).click();
  await customer.shows(/Let .* see and control this computer/);
  await expect(page.getByTestId("words")).toBeVisible();
  await page.screenshot({ path: image("words") });
  writeFileSync(image("question"), customer.picture());
  await customer.allow();
  const viewer = new ViewerPage(page);
  await viewer.shows({ width: 900, height: 620 });
  await customer.shows("controls this computer");
  customer.click(170, null);
  await customer.shows("Chat");
  await viewer.moveTo(300, 200);
  await page.waitForTimeout(700);
  await page.screenshot({ path: image("viewer") });
  writeFileSync(image("bar"), customer.picture());

  await customer.disconnect();
  await customer.shows("This program has removed itself");
  writeFileSync(image("end"), customer.picture());
  await portal.goto(`${stack.server.url}/support/request`);
  await portal.getByLabel("Your name").fill("Sam Baker");
  await portal
    .getByLabel("What is it about?")
    .fill("The printer on the second floor says PC LOAD LETTER.");
  await portal.screenshot({ path: image("request") });
  await context.close();
});
