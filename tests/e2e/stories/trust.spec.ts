import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { machineOnline } from "../../../scripts/lib/guruconnect.mjs";
import { expect, TECHNICIAN, test } from "../lib/stack";

/** A fresh X25519 key, as the agent keeps it. */
function foreignKey(): string {
  const { d } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  return Buffer.from(d ?? "", "base64url").toString("base64");
}

test("a session whose agent does not hold the enrolled key is refused, in words", async ({
  page,
  stack,
  dashboard,
}) => {
  await stack.agent.stop();
  const file = path.join(stack.agent.dataFolder, "agent.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  const [name] = Object.keys(kept).filter((key) => /private|secret/.test(key));
  writeFileSync(file, JSON.stringify({ ...kept, [name]: foreignKey() }), { mode: 0o600 });
  stack.agent.start();
  await machineOnline(stack.server.api, { agent: stack.agent });

  await dashboard.open(`/machines/${stack.machine.id}/view`);
  await dashboard.signIn(TECHNICIAN);

  const refusal = page.getByRole("alert");
  await expect(refusal).toContainText("This is not the machine you asked for");
  await expect(page.getByTestId("remote-screen")).toHaveJSProperty("width", 1);
});
