import { existsSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds the server; `npm run mock` answers at the default. */
const server = process.env.GURUCONNECT_SERVER ?? "http://127.0.0.1:18301";

const core = join(import.meta.dirname, "../../packages/viewer/wasm/guruconnect_viewer.wasm");

/** Without this, a missing core would only show when somebody opens a machine. */
const needsCore: Plugin = {
  name: "needs-viewer-core",
  apply: "build",
  buildStart() {
    if (!existsSync(core)) this.error(`${core} is missing: run scripts/build-wasm first`);
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), needsCore],
  // Workspace packages are compiled from their sources.
  resolve: { conditions: ["source"] },
  worker: { format: "es" },
  build: {
    target: "es2023",
    // Nothing inline: the server's Content-Security-Policy forbids inline scripts and data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "third-party-licences.md" },
    // Mantine and React together, fetched once.
    chunkSizeWarningLimit: 800,
  },
  server: {
    host: "127.0.0.1",
    port: 18300,
    strictPort: true,
    proxy: {
      "/api": { target: server, changeOrigin: false },
      "/ws": { target: server.replace(/^http/, "ws"), ws: true, changeOrigin: false },
    },
  },
  preview: { host: "127.0.0.1", port: 18302, strictPort: true },
});
