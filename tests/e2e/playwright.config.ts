import { defineConfig } from "@playwright/test";

/** Debian's Chromium unless another is named; headless, without a GPU and without calls home. */
const browser = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
  ],
};

export default defineConfig({
  testDir: "stories",
  outputDir: "test-results",
  // One desktop, one browser and one server at a time: two cores carry no more without waiting.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  // Deadlines are for a machine that is busy; what is promised in time, a story measures itself.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    launchOptions: browser,
    viewport: { width: 1440, height: 960 },
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
  },
  projects: [
    { name: "x11", testIgnore: ["**/stories/windows/**", "**/stories/screenshots/**"] },
    { name: "windows", testMatch: "**/stories/windows/*.spec.ts", timeout: 180_000 },
    { name: "screenshots", testMatch: "**/stories/screenshots/*.spec.ts" },
  ],
});
