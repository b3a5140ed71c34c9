// @ts-check
// The rules of the repository's structure that a compiler does not keep. Each check answers
// with a sentence per breach; ARCHITECTURE.md says why the rules are there.

import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { cargoMetadata, conclude, linkedInto, root } from "./lib.mjs";

const metadata = cargoMetadata();

/** Folders of sources, without what is built or fetched. */
const SKIPPED = new Set([
  "node_modules",
  "target",
  "dist",
  ".git",
  ".cache",
  "artefacts",
  "test-results",
  "corpus",
]);

/** @param {string} folder @param {RegExp} wanted @returns {string[]} paths relative to the repository */
function files(folder, wanted) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory())
      return SKIPPED.has(entry.name) || entry.name.startsWith("target-") ? [] : files(name, wanted);
    return wanted.test(entry.name) ? [name] : [];
  });
}

/** @param {string} file */
const read = (file) => readFileSync(path.join(root, file), "utf8");

/** Comments and texts of Rust, raw ones too; the last form is a character. */
const NOT_CODE =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\br(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\\n]|\\.)'/g;

/** Rust without its comments, texts and the tests at its end, line by line. @param {string} file */
function codeLines(file) {
  return read(file)
    .replace(/^#\[cfg\(test\)\]\nmod tests \{[\s\S]*/m, "")
    .replace(NOT_CODE, (found) => found.replace(/[^\n]/g, " "))
    .split("\n");
}

/**
 * The lines of `among` that match, as "file:line: text".
 *
 * @param {string[]} among
 * @param {RegExp} forbidden
 * @param {(file: string) => boolean} allowed
 */
function breaches(among, forbidden, allowed) {
  return among
    .filter((file) => !allowed(file))
    .flatMap((file) =>
      codeLines(file).flatMap((line, index) =>
        forbidden.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
      ),
    );
}

const rust = files(".", /\.rs$/);
const tests = (/** @type {string} */ file) =>
  /(^|\/)(tests|benches|examples)(\/|\.rs$)|_tests?\.rs$|^fuzz\//.test(file);

/** @param {string} from @param {RegExp} forbidden */
function neverLinks(from, forbidden) {
  return linkedInto(metadata, from)
    .filter(({ name }) => forbidden.test(name))
    .map(({ name }) => `${from} links ${name}`);
}

/** Crates that open nothing and read no clock: everything comes in as an argument. */
const PURE = ["model", "codec", "session", "relay", "installer"]
  .map((name) => `crates/${name}`)
  .concat("proto");
const OPENS_SOMETHING =
  /\bstd::(fs|net|process|env|os)\b|\bstd::io::(stdin|stdout|stderr)\b|\b(Instant|SystemTime)::now\b|\bthread::(spawn|sleep)\b|\bgetrandom::|\bOsRng\b|\b(tokio|axum|reqwest|sea_orm|x11rb|windows_sys)::/;

const CHOOSES_SYSTEM =
  /\bcfg!?\s*\(.*\b(windows|unix|target_os)\b|cfg_if!|\bwindows_sys::|\bwindows_service::|\bx11rb::/;
const PLATFORM = /^crates\/platform(-\w+)?\//;
/** The server's own socket options: it has no seam, because it has no other system. */
const FOR_LINUX = /^server\/src\/serve\.rs$/;
const NOT_SHIPPED = /^(benches|crates\/testkit)\//;

conclude({
  "the server never links a screen, an input or the end-to-end session": () =>
    neverLinks("guruconnect-server", /^gc-(platform.*|session|codec)$/),

  "the agent never links the database or the relay": () =>
    neverLinks("guruconnect-agent", /^gc-(store|relay)$/),

  "model, proto, codec, session, relay and installer open nothing and read no clock": () => [
    ...breaches(
      rust.filter((file) => PURE.some((crate) => file.startsWith(`${crate}/src/`))),
      OPENS_SOMETHING,
      tests,
    ),
    ...PURE.map((crate) =>
      metadata.packages.find(
        ({ manifest_path }) => manifest_path === path.join(root, crate, "Cargo.toml"),
      ),
    )
      .filter((found) => found !== undefined)
      .flatMap(({ name }) =>
        neverLinks(name, /^(tokio|mio|socket2|axum|hyper|sea-orm|sqlx|x11rb|windows-sys|rustix)$/),
      ),
  ],

  "an operating system is named only behind the seam, and in one file of the agent": () => {
    const rest = rust.filter(
      (file) => !PLATFORM.test(file) && !tests(file) && !NOT_SHIPPED.test(file),
    );
    const agent = rest.filter((file) => file.startsWith("agent/"));
    const chosenIn = new Set(
      breaches(agent, CHOOSES_SYSTEM, () => false).map((breach) => breach.split(":")[0]),
    );
    const other = breaches(
      rest,
      CHOOSES_SYSTEM,
      (file) => file.startsWith("agent/") || FOR_LINUX.test(file),
    );
    return [
      ...(chosenIn.size > 1 ? [`the agent chooses the system in ${[...chosenIn].join(", ")}`] : []),
      ...other,
    ];
  },

  "unsafe code stands only behind the seam, in codec bindings and at the edge of the WebAssembly core":
    () =>
      breaches(rust, /\bunsafe\b|allow\(unsafe_code\)/, (file) =>
        /^crates\/(platform-\w+|openh264|video|vpx|viewer-wasm)\//.test(file),
      ),

  "generated wire types stay inside proto": () =>
    breaches(rust, /gc_proto::generated|pub mod generated/, () => false),

  "every crate is on the map of ARCHITECTURE.md": () => {
    const map = read("ARCHITECTURE.md");
    return metadata.packages
      .filter(({ id }) => metadata.workspace_members.includes(id))
      .map(({ manifest_path }) => path.relative(root, path.dirname(manifest_path)))
      .filter((folder) => !map.includes(`\`${folder}\``))
      .map((folder) => `${folder} is not on it`);
  },

  "nothing is unfinished or skipped": () => [
    ...breaches(rust, /\btodo!\(|\bunimplemented!\(|#\[ignore|\bdbg!\(/, () => false),
    ...files(".", /\.(rs|ts|tsx|mjs)$/)
      .filter((file) => file !== "tests/checks/structure.mjs")
      .flatMap((file) =>
        read(file)
          .split("\n")
          .flatMap((line, index) =>
            /\b(TODO|FIXME)\b|\b(test|it|describe)\.(only|skip|fixme)\(/.test(line)
              ? [`${file}:${index + 1}: ${line.trim()}`]
              : [],
          ),
      ),
  ],

  "links between the documents lead somewhere": () =>
    files(".", /\.md$/).flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target)
        .filter((target) => !exists(path.join(path.dirname(file), target)))
        .map((target) => `${file} points to ${target}`),
    ),
});

/** @param {string} file */
function exists(file) {
  try {
    statSync(path.join(root, file));
    return true;
  } catch {
    return false;
  }
}
