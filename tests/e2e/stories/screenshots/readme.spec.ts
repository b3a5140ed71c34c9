// Not a test: takes the pictures of the README. `make screenshots` runs it.

import { randomBytes } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Api } from "../../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../../scripts/lib/processes.mjs";
import { ViewerPage } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { middleOf, windowTitled } from "../../lib/windows-on-desktop";

const IMAGES = fileURLToPath(new URL("../../../../docs/images", import.meta.url));

test.use({ viewport: { width: 1280, height: 884 }, colorScheme: "light" });

test("pictures of the README", async ({ page, stack, dashboard }) => {
  const { desktop, server, machine } = stack;
  await server.api.call("PATCH", `/api/machines/${machine.id}`, { name: "Reception" });
  for (const name of ["Accounting 1", "Accounting 2", "Warehouse", "Meeting room"]) {
    await enrol(server.api, name);
  }
  const font = ["-fa", "DejaVu Sans Mono", "-fs", "11"];
  desktop.run("xterm", [
    ...[
      ...font,
      "-geometry",
      "66x12+40+30",
      "-title",
      "System",
      "-e",
      "head -n 10 /etc/os-release; exec sleep 600",
    ],
  ]);
  desktop.run("xterm", [
    ...[...font, "-geometry", "70x16+420+330", "-title", "Terminal"],
    ...["-e", "env PS1='reception$ ' bash --norc --noprofile"],
  ]);
  const terminal = await windowTitled(desktop, "Terminal");

  await dashboard.open();
  await dashboard.signIn(TECHNICIAN);
  await expect(dashboard.machineRow("Reception")).toContainText("Online");
  await page.screenshot({ path: path.join(IMAGES, "machines.png") });

  server.offerAgent();
  await dashboard.open("/support-codes");
  await page.getByRole("textbox", { name: "Customer" }).fill("Contoso, Ms Miller");
  await page.getByRole("button", { name: "Make a code" }).click();
  await expect(page.getByRole("button", { name: "Copy the code" })).toBeVisible();
  await page.screenshot({ path: path.join(IMAGES, "support.png") });

  await dashboard.open(`/machines/${machine.id}/view`);
  const viewer = new ViewerPage(page);
  await viewer.shows();
  await viewer.isLive();
  const middle = middleOf(terminal);
  await viewer.click(middle.x, middle.y);
  await until("the terminal to have the focus", () =>
    desktop.ask("xdotool", ["getwindowfocus"]).includes(terminal.id),
  );
  await viewer.type("echo Typed in a browser, on a machine far away.\n");
  await viewer.button("Statistics").click();
  await viewer.moveTo(middle.x, middle.y);
  await viewer.type("date +%A\n");
  // The figures settle within their window of two seconds.
  await page.waitForTimeout(2_500);
  await viewer.type("# ");
  await page.waitForTimeout(700);
  await page.screenshot({ path: path.join(IMAGES, "viewer.png") });

  await viewer.button("Close statistics").click();
  await page.setViewportSize({ width: 390, height: 844 });
  await viewer.moveTo(middle.x, middle.y);
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(IMAGES, "phone.png") });
});

/** A machine that was seen once and is away now. */
async function enrol(api: Api, name: string): Promise<void> {
  const { machine_id } = await api.call("POST", "/api/agent/enrol", {
    token: await api.enrolmentToken(),
    agent_public_key: randomBytes(32).toString("base64"),
    device_id: null,
    facts: {
      host_name: name.toUpperCase().replaceAll(" ", "-"),
      os_family: "windows",
      os_name: "Windows 11 Pro",
      os_version: "10.0.26100",
      architecture: "x86_64",
      current_user: "",
      boot_time_unix: 1_760_000_000,
    },
  });
  await api.call("PATCH", `/api/machines/${machine_id}`, { name });
}
