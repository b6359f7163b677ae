import { availableParallelism } from "node:os";
import { run } from "../setup/run.mjs";
import type { Check } from "./check.ts";
import { listWorkspaces } from "./workspaces.ts";

/** Each workspace by its own tsconfig.json, as many at a time as there are cores; then the scripts. */
export const types: Check = {
  name: "types",
  run: async () => {
    const waiting = [...listWorkspaces().map(({ dir }) => dir), "scripts"];
    const failures: string[] = [];
    const work = async (): Promise<void> => {
      for (let dir = waiting.shift(); dir !== undefined; dir = waiting.shift()) {
        const { code, output } = await run("tsc", ["--noEmit", "--pretty", "false", "--project", dir]);
        if (code !== 0) failures.push(output);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    return { passed: failures.length === 0, output: failures.join("") };
  },
};
