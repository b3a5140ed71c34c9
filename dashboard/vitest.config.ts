import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions: ["source"] },
        ssr: { resolve: { conditions: ["source"] } },
        test: {
          name: "packages",
          include: ["packages/*/src/**/*.test.{ts,tsx}"],
          environment: "jsdom",
        },
      },
      {
        extends: "./apps/dashboard/vite.config.ts",
        test: {
          name: "dashboard",
          include: ["apps/dashboard/src/**/*.test.{ts,tsx}"],
          environment: "jsdom",
          setupFiles: ["./apps/dashboard/src/testing/setup.ts"],
          // Deadlines, not measurements: generous, for busy machines.
          testTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
