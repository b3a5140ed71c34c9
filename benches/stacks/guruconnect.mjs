// @ts-check
// Our own path: agent on the display, relay in the server, viewer in the dashboard.

import { Agent, machineOnline, Server } from "../../scripts/lib/guruconnect.mjs";
import { freePort } from "../../scripts/lib/processes.mjs";

const USER = {
  username: "bench",
  display_name: "Bench",
  password: "a password of the benchmark 7",
};
const CLAIM_SECRET = "the one-time secret of the benchmark";

/** @param {import('./index.mjs').StackOptions} options @returns {Promise<import('./index.mjs').Stack>} */
export async function guruconnect({ desktop, folder, cleanup }) {
  const server = cleanup.stopping(
    new Server({ folder, port: await freePort(18_400), env: { CLAIM_SECRET, LOG_LEVEL: "warn" } }),
  );
  await server.start();
  await server.api.claim(CLAIM_SECRET, USER);
  const agent = cleanup.stopping(
    new Agent({ folder, server: server.url, env: desktop.env, args: ["--log-level", "warn"] }),
  );
  agent.start(await server.api.enrolmentToken());
  const machine = await machineOnline(server.api, { agent });

  return {
    agent: [agent.program.pid],
    relay: [server.program.pid],
    port: server.port,
    async open(page, port = server.port) {
      await page.goto(`http://127.0.0.1:${port}/machines/${machine.id}/view`);
      await page.getByLabel("User name").fill(USER.username);
      await page.getByLabel("Password", { exact: true }).fill(USER.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForFunction(() =>
        [...document.querySelectorAll("canvas")].some((canvas) => canvas.width >= 1920),
      );
      await page.getByLabel(/^Keyboard of the remote machine/).focus();
    },
  };
}
