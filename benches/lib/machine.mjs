// @ts-check
// What the figures were taken on: they compare only within one such line.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import { meshcentralVersion } from "../stacks/meshcentral.mjs";

export function machineFacts() {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="(.*)"/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? os.type(),
    kernel: os.release(),
    browser: firstLine(process.env.CHROMIUM ?? "chromium", ["--version"]),
    versions: {
      x11vnc: packageVersion("x11vnc"),
      x0vncserver: packageVersion("tigervnc-scraping-server"),
      xvnc: packageVersion("tigervnc-standalone-server"),
      websockify: packageVersion("websockify"),
      novnc: packageVersion("novnc"),
      meshcentral: meshcentralVersion(),
    },
    loadAtStart: os.loadavg()[0],
  };
}

/** In a line, as the reports begin. @param {ReturnType<typeof machineFacts>} machine */
export function describeMachine({
  processor,
  cores,
  memoryGiB,
  system,
  kernel,
  browser,
  versions,
  loadAtStart,
}) {
  return (
    `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, kernel ${kernel}, ${browser}. Load at the start ${loadAtStart.toFixed(1)}. ` +
    `x11vnc ${versions.x11vnc}, x0vncserver ${versions.x0vncserver}, Xvnc ${versions.xvnc}, websockify ${versions.websockify}, noVNC ${versions.novnc}, MeshCentral ${versions.meshcentral}.`
  );
}

/** @param {string} name */
function packageVersion(name) {
  return firstLine("dpkg-query", ["-W", "-f", "${Version}", name]);
}

/** @param {string} command @param {string[]} args */
function firstLine(command, args) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")[0]
      .trim();
  } catch {
    return "not there";
  }
}
