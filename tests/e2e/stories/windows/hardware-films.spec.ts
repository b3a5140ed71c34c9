import { statSync } from "node:fs";
import path from "node:path";
import { machineOnline } from "../../../../scripts/lib/guruconnect.mjs";
import { until } from "../../../../scripts/lib/processes.mjs";
import { Dashboard } from "../../lib/dashboard";
import { CLAIM_SECRET, expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";

const NO_ENCODER =
  '{"works":false,"says":"finding an encoder failed: there is no hardware encoder for H.264"}';

test("a machine without a video encoder finds that out once and is seen all the same", async ({
  page,
  unclaimed,
}) => {
  const { server, folder } = unclaimed;
  await server.api.claim(CLAIM_SECRET, TECHNICIAN);
  const windows = new WindowsDesktop(folder);
  unclaimed.stopAtTheEnd(windows);
  await windows.start({ plain: true });
  const token = await server.api.enrolmentToken();
  const enrol = ["--server", server.url, "--token", token];
  windows.finish("guruconnect-agent.exe", "install", ...enrol, "--hardware-films");
  windows.finish("guruconnect-agent.exe", "start");
  windows.run("notepad");
  const machine = await machineOnline(server.api, { withinMs: 60_000 });
  const kept = () => windows.read("ProgramData/GuruConnect/film-probe.txt").toString("utf8");
  const log = () => windows.read("ProgramData/GuruConnect/Logs/worker.log").toString("utf8");
  const said = () => log().split("Films are not packed by this machine's hardware").length - 1;
  await until("Notepad", () => windows.ask("place-notepad"), { withinMs: 60_000, everyMs: 500 });
  expect(kept, "nobody looks, so nothing is tried").toThrow();

  const dashboard = new Dashboard(page, server.url);
  const viewer = await dashboard.openViewer(machine, TECHNICIAN, WindowsDesktop.size);

  await expect(() => {
    expect(said()).toBe(1);
    expect(kept()).toContain(NO_ENCODER);
  }).toPass({ timeout: 60_000 });
  await viewer.isLive();
  const file = path.join(folder, "wine/prefix/drive_c/ProgramData/GuruConnect/film-probe.txt");
  const { ino: first } = statSync(file);
  const [worker] = windows.workers();
  if (worker === undefined) throw new Error("the viewer is served by a worker");
  process.kill(worker, "SIGKILL");
  await expect(() => expect(said()).toBe(2)).toPass({ timeout: 60_000 });
  await viewer.isLive();
  expect(statSync(file).ino, "what is known is not asked again").toBe(first);
  const probing = windows.processes((words) => words.includes("film-probe"));
  expect(probing, "no process is left that tries it").toHaveLength(0);
  windows.finish("guruconnect-agent.exe", "uninstall");
  expect(kept, "nothing stays behind").toThrow();
});
