import { execFileSync, spawn } from "node:child_process";
import { binary } from "../../../scripts/lib/guruconnect.mjs";
import { Customer } from "../lib/customer";
import { Dashboard } from "../lib/dashboard";
import { expect, type Stack, TECHNICIAN, test } from "../lib/stack";

/** The user's own command, at the machine. */
function requestSupport(stack: Stack, ...words: string[]): string {
  const args = ["--data-dir", stack.agent.dataFolder, "request-support", ...words];
  return execFileSync(binary("guruconnect-agent"), args, {
    encoding: "utf8",
    env: { ...process.env, ...stack.desktop.env },
    timeout: 30_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test("a machine's user asks by command, is taken, and reads the answer", async ({
  dashboard,
  stack,
}) => {
  expect(requestSupport(stack, "--status")).toMatch(
    /No help was asked for\.\nLooking now: nobody\n/,
  );
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  const { page } = dashboard;
  await expect(page.getByText("Nobody is being helped right now.")).toBeVisible();

  expect(requestSupport(stack, "--message", "It does not print")).toContain(
    "Your support has been told.",
  );

  await expect(page.getByText(/ asks for help\.$/).first()).toBeVisible();
  await page
    .getByRole("list", { name: "Support codes" })
    .getByRole("link", { name: / at .*Asks for help/ })
    .click();
  await expect(page.getByRole("region", { name: "Chat" })).toContainText("It does not print");
  await page.getByRole("button", { name: "Take" }).click();
  await page.getByLabel("Message to the customer").fill("I will look at it");
  await page.keyboard.press("Enter");

  await expect
    .poll(() => requestSupport(stack, "--status"))
    .toMatch(/takes care of it\.[\s\S]*You: It does not print\n.*: I will look at it/);
  await page.getByRole("link", { name: "Connect", exact: true }).click();
  await expect(page.getByTestId("remote-screen")).toBeVisible();

  // Who works there can see that somebody looks, and that nobody does any more.
  const looking = () => /Looking now: .*/.exec(requestSupport(stack, "--status"))?.[0];
  await expect
    .poll(looking)
    .toBe("Looking now: Tina Technician, with mouse and keyboard, for less than a minute");
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect.poll(looking).toBe("Looking now: nobody");
});

test("a machine's user asks in the window, sees who takes it, and is done", async ({
  dashboard,
  stack,
}, testInfo) => {
  await dashboard.open("/support-codes");
  await dashboard.signIn(TECHNICIAN);
  const { page } = dashboard;
  const args = ["--data-dir", stack.agent.dataFolder, "request-support"];
  const window = spawn(binary("guruconnect-agent"), args, {
    env: { ...process.env, ...stack.desktop.env },
    stdio: "ignore",
  });
  stack.stopAtTheEnd({ stop: () => window.kill() });
  const user = new Customer(stack.desktop, `${stack.folder}/window`);
  await user.shows("Ask for help");

  stack.desktop.ask("xdotool", ["search", "--name", "GuruConnect support", "windowfocus"]);
  stack.desktop.ask("xdotool", ["type", "My screen is blue"]);
  stack.desktop.ask("xdotool", ["key", "Return"]);

  await user.shows(/Your support has been told[\s\S]*You: My screen is blue/);
  await testInfo.attach("asked", { body: user.picture(), contentType: "image/png" });
  await page.getByRole("link", { name: /Asks for help/ }).click();
  await page.getByRole("button", { name: "Take" }).click();
  await user.shows(`${TECHNICIAN.display_name} takes care of it`);
  await page.getByLabel("Message to the customer").fill("Is it better now?");
  await page.keyboard.press("Enter");
  await user.shows(`${TECHNICIAN.display_name}: Is it better now?`);
  await testInfo.attach("taken", { body: user.picture(), contentType: "image/png" });
  await testInfo.attach("technician", { body: await page.screenshot(), contentType: "image/png" });
  await page.getByRole("button", { name: "Mark as done" }).click();
  await user.shows("Your request is done");

  // Closing the window ends the program and nothing else.
  user.click(60, 44);
  await expect.poll(() => window.exitCode).toBe(0);
  await new Dashboard(page, stack.server.url).open("/support-codes");
  await expect(page.getByText("Ended by the technician")).toBeVisible();
});
