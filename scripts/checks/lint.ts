import type { Check } from "./check.ts";
import { runTools } from "./run-tool.ts";

/** Format and lint by Biome; promises that nobody waits for by oxlint, which asks the type checker. */
export const lint: Check = {
  name: "lint",
  run: () =>
    runTools([
      ["biome", "check", "--error-on-warnings", "--max-diagnostics=100"],
      ["oxlint", "--type-aware", "--deny-warnings"],
    ]),
};
