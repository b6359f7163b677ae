import { defineConfig } from "vitest/config";

/** All tests of the repository. Each workspace has a config of its own, so that its tests also run from within it. */
export default defineConfig({
  test: {
    projects: [
      "packages/*",
      "e2e",
      "bench",
      { extends: "./vitest.shared.ts", test: { name: "scripts", root: "scripts", include: ["**/*.test.ts"] } },
    ],
  },
});
