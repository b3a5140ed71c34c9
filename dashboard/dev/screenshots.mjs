// Opens every page in headless Chromium, light and dark, on a laptop and a phone, and saves what
// it looks like to .shots/. Needs `npm run mock` and `npm run dev` (or PAGE_URL) running.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const base = process.env.PAGE_URL ?? "http://127.0.0.1:18300";
const out = new URL("../.shots/", import.meta.url).pathname;
const only = process.argv[2];
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

const devices = {
  laptop: { viewport: { width: 1366, height: 768 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

const pages = {
  "sign-in": async (page) => {
    await page.goto(`${base}/sign-in`);
    await page.getByLabel("User name").waitFor();
  },
  "sign-in-refused": async (page) => {
    await page.goto(`${base}/sign-in`);
    await page.getByLabel("User name").fill("ada");
    await page.getByRole("textbox", { name: "Password" }).fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
  },
  machines: async (page) => {
    await signIn(page);
  },
  machine: async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: "Reception" }).first().click();
    await page.getByRole("heading", { name: "Reception" }).waitFor();
    await page.getByText("Bo Lindqvist").first().waitFor();
  },
  "machine-remove": async (page) => {
    await pages.machine(page);
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
    await page.getByRole("dialog").waitFor();
  },
  "add-machine": async (page) => {
    await signIn(page);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Create the command" }).click();
    await page.getByRole("tab", { name: "Linux" }).waitFor();
  },
  "no-match": async (page) => {
    await signIn(page);
    await page.getByLabel("Search machines").fill("zzz");
    await page.getByText("No machine matches").waitFor();
  },
  audit: async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("button", { name: "Ended a session" }).first().waitFor();
  },
  "audit-detail": async (page) => {
    await pages.audit(page);
    await page.getByRole("button", { name: "Ended a session" }).first().click();
    await page.getByRole("dialog").waitFor();
  },
  settings: async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByText("Workshop", { exact: true }).waitFor();
  },
  "account-menu": async (page) => {
    await signIn(page);
    await page.getByRole("button", { name: /^Account of/ }).click();
    await page.getByText("Sign out").waitFor();
  },
  "not-found": async (page) => {
    await signIn(page);
    await page.goto(`${base}/nothing-here`);
    await page.getByText("There is nothing at this address").waitFor();
  },
  viewer: async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: /^Connect to Accounting 1/ }).click();
    await page.getByTestId("remote-screen").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Try now" }).waitFor();
  },
  "viewer-keys": async (page) => {
    await pages.viewer(page);
    await page.getByRole("button", { name: "Send keys" }).click();
    await page.getByRole("menuitem", { name: "Alt + F4" }).waitFor();
  },
};

async function signIn(page) {
  await page.goto(`${base}/sign-in`);
  await page.getByLabel("User name").fill("ada");
  await page.getByRole("textbox", { name: "Password" }).fill("demo");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Reception" }).first().waitFor();
}

for (const [device, options] of Object.entries(devices)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, open] of Object.entries(pages)) {
      if (only && !name.match(only)) continue;
      const context = await browser.newContext({ ...options, colorScheme });
      const page = await context.newPage();
      page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error") console.error(`${name}: ${message.text()}`);
      });
      try {
        await open(page);
        await page.waitForTimeout(350);
      } catch (error) {
        console.error(`${name} on ${device}: ${error.message.split("\n")[0]}`);
      }
      await page.screenshot({ path: `${out}${name}-${device}-${colorScheme}.png` });
      await context.close();
    }
  }
}
await browser.close();
