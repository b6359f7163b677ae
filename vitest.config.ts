import { defineConfig } from "vitest/config";

/** All tests of the repository. Each workspace has a config of its own, so that its tests also run from within it. */
export default defineConfig({
  test: {
    projects: [
      "packages/*",
      "e2e",
      "bench",
      // What plain calls are answered like must not depend on the path they go.
      {
        extends: "./vitest.shared.ts",
        test: {
          name: "gateway, adapter path",
          root: "packages/gateway",
          include: ["src/server/*.test.ts", "src/rpc/*.test.ts"],
          provide: { hasLeanPath: false },
        },
      },
      { extends: "./vitest.shared.ts", test: { name: "scripts", root: "scripts", include: ["**/*.test.ts"] } },
    ],
  },
});
