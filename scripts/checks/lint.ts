import type { Check } from "./check.ts";
import { runTools } from "./run-tool.ts";

/** Checks format and lint with Biome, and unhandled promises with oxlint, which uses the type checker. */
export const lint: Check = {
  name: "lint",
  run: async () => {
    const results = await Promise.all([
      runTools([["biome", "check", "--error-on-warnings", "--max-diagnostics=100"]]),
      runTools([["oxlint", "--type-aware", "--deny-warnings"]]),
    ]);
    return { passed: results.every(({ passed }) => passed), output: results.map(({ output }) => output).join("\n") };
  },
};
