import { statSync } from "node:fs";
import path from "node:path";
import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { installService, openNotepad, windowsFor } from "../../lib/windows-machine";

const NO_ENCODER =
  '{"works":false,"says":"finding an encoder failed: there is no hardware encoder for H.264"}';

test("a machine without a video encoder finds that out once and is seen all the same", async ({
  page,
  unclaimed,
}) => {
  const { server, folder } = unclaimed;
  const windows = await windowsFor(unclaimed, { plain: true });
  const machine = await installService(windows, server, "--hardware-films");
  await openNotepad(windows);
  const kept = () => windows.read("ProgramData/GuruConnect/film-probe.txt").toString("utf8");
  const log = () => windows.read("ProgramData/GuruConnect/Logs/worker.log").toString("utf8");
  const said = () => log().split("Films are not packed by this machine's hardware").length - 1;
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
