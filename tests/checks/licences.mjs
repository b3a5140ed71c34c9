// @ts-check
// Everything we ship or build with may be used in a proprietary product, and what we ship
// stands in THIRD-PARTY.md with its licence text. `--write` writes that file.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cargoMetadata, conclude, linkedInto, root } from "./lib.mjs";

/** Licences that ask for a notice at most. deny.toml has the same list. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "Apache-2.0 WITH LLVM-exception",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSL-1.0",
  "CC0-1.0",
  "CDLA-Permissive-2.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Unicode-3.0",
  "Unlicense",
  "Zlib",
]);

/** For what only builds or tests: never part of what we ship. */
const ALLOWED_FOR_TOOLS = new Set([
  ...ALLOWED,
  "BlueOak-1.0.0",
  "CC-BY-3.0",
  "CC-BY-4.0",
  "MPL-2.0",
  "Python-2.0",
]);

const PLATFORMS = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-gnu"];
const SHIPPED_FROM = ["guruconnect-server", "guruconnect-agent", "gc-viewer-wasm"];
const LOCK_FILES = [
  "dashboard/package-lock.json",
  "tests/e2e/package-lock.json",
  "benches/package-lock.json",
];
const NOTICES = "THIRD-PARTY.md";

/**
 * @typedef {{ name: string, version: string, licence: string, from: 'crates.io' | 'npm' | 'Debian', folder: string, shipped: boolean }} Part
 */

/** @returns {Part[]} */
function crates() {
  const all = cargoMetadata();
  const shipped = new Set(
    PLATFORMS.flatMap((platform) => {
      const metadata = cargoMetadata(platform);
      return SHIPPED_FROM.flatMap((name) => linkedInto(metadata, name).map(({ id }) => id));
    }),
  );
  return all.packages
    .filter(({ source }) => source !== null)
    .map(({ id, name, version, license, manifest_path }) => ({
      name,
      version,
      licence: (license ?? "none").replaceAll("/", " OR "),
      from: "crates.io",
      folder: path.dirname(manifest_path),
      shipped: shipped.has(id),
    }));
}

/** C libraries that scripts/build-… made from their sources. @returns {Part[]} */
function libraries() {
  const [, version = ""] =
    /^readonly version=(.+)$/m.exec(
      readFileSync(path.join(root, "scripts/build-libvpx"), "utf8"),
    ) ?? [];
  const built = path.join(root, ".cache/libvpx");
  const target = readdirSync(built, { withFileTypes: true }).find((entry) => entry.isDirectory());
  const folder = path.join(built, target?.name ?? "");
  return [
    { name: "libvpx", version, licence: "BSD-3-Clause", from: "Debian", folder, shipped: true },
  ];
}

/** @param {string} lockFile @returns {Part[]} */
function npmPackages(lockFile) {
  /** @type {Record<string, { version?: string, license?: string, dev?: boolean, link?: boolean, optional?: boolean }>} */
  const packages = JSON.parse(readFileSync(path.join(root, lockFile), "utf8")).packages;
  return Object.entries(packages)
    .filter(([place, { link }]) => place.includes("node_modules/") && !link)
    .map(([place, { version = "", license = "none", dev = false }]) => ({
      name: place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      licence: license,
      from: "npm",
      folder: path.join(root, path.dirname(lockFile), place),
      shipped: lockFile.startsWith("dashboard/") && !dev,
    }));
}

/**
 * Whether an SPDX expression can be satisfied with the allowed licences.
 *
 * @param {string} expression
 * @param {Set<string>} allowed
 */
function acceptable(expression, allowed) {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  /** @returns {boolean} */
  const either = () => {
    let result = both();
    while (tokens[0] === "OR") {
      tokens.shift();
      result = both() || result;
    }
    return result;
  };
  /** @returns {boolean} */
  const both = () => {
    let result = one();
    while (tokens[0] === "AND") {
      tokens.shift();
      result = one() && result;
    }
    return result;
  };
  /** @returns {boolean} */
  const one = () => {
    const token = tokens.shift() ?? "";
    if (token === "(") {
      const inner = either();
      tokens.shift();
      return inner;
    }
    if (tokens[0] !== "WITH") return allowed.has(token);
    tokens.shift();
    return allowed.has(`${token} WITH ${tokens.shift()}`);
  };
  return either();
}

/** The licence files of a package, as texts. @param {Part} part */
function texts(part) {
  // Bindings keep the library's own licence beside its sources.
  return [part.folder, path.join(part.folder, "upstream")].flatMap(textsIn);
}

/** @param {string} folder @returns {string[]} */
function textsIn(folder) {
  let names;
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter(
      (name) =>
        /^(licen[cs]e|copying|notice|patents|unlicense)/i.test(name) && !/\.(rs|js|ts)$/.test(name),
    )
    .sort()
    .flatMap((name) => {
      try {
        return [readFileSync(path.join(folder, name), "utf8").replaceAll("\r\n", "\n").trim()];
      } catch {
        return []; // A folder called "licenses".
      }
    });
}

/** @param {Part[]} parts */
function notices(parts) {
  const shipped = parts
    .filter((part) => part.shipped)
    .sort((a, b) => key(a).localeCompare(key(b), "en"));
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const part of shipped) {
    for (const text of texts(part))
      users.set(text, [...(users.get(text) ?? []), `${part.name} ${part.version}`]);
  }
  return [
    "# Third-party software in GuruConnect",
    "Written by `make licences`. The server, the agent and the web files contain these works; each is used under the licence named beside it, whose text follows below. OpenH264, and what only it needs, is in agents that were built with H.264.",
    ["| from | name | version | licence |", "|---|---|---|---|"]
      .concat(
        shipped.map(
          (part) => `| ${part.from} | ${part.name} | ${part.version} | ${part.licence} |`,
        ),
      )
      .join("\n"),
    "## Licence texts",
    ...[...users].map(
      ([text, names]) =>
        `### ${names.join(", ")}\n\n\`\`\`text\n${text.replaceAll("```", "'''")}\n\`\`\``,
    ),
    "",
  ].join("\n\n");
}

/** @param {Part} part */
const key = (part) => `${part.from} ${part.name} ${part.version}`;

const parts = [...crates(), ...libraries(), ...LOCK_FILES.flatMap(npmPackages)];

if (process.argv.includes("--write")) writeFileSync(path.join(root, NOTICES), notices(parts));

/** @param {boolean} shipped @param {Set<string>} allowed */
function refused(shipped, allowed) {
  return parts
    .filter((part) => part.shipped === shipped && !acceptable(part.licence, allowed))
    .map((part) => `${key(part)}: ${part.licence}`);
}

conclude({
  "what we ship has licences that ask for a notice at most": () => refused(true, ALLOWED),
  "what we build and test with has licences that allow that": () =>
    refused(false, ALLOWED_FOR_TOOLS),
  "THIRD-PARTY.md names what we ship": () => {
    const written = readFileSync(path.join(root, NOTICES), "utf8");
    const missing = parts
      .filter(
        (part) =>
          part.shipped &&
          !written.includes(`| ${part.from} | ${part.name} | ${part.version} | ${part.licence} |`),
      )
      .map((part) => `${key(part)} is missing: run make licences`);
    return [...new Set(missing)];
  },
});
