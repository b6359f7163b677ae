import { availableParallelism } from "node:os";
import { run } from "../setup/run.mjs";
import type { Check, CheckResult } from "./check.ts";
import { listWorkspaces } from "./workspaces.ts";

/**
 * Checks all workspaces as one program, then those that run in browsers only, which have other globals, then the scripts, which are partly JavaScript. One program reads each file once; a program per
 * workspace takes five times the processor time, because each reads the sources of the lower layers again.
 */
export const types: Check = {
  name: "types",
  run: () => checkProjects([".", "packages/ui", "packages/store-app", "packages/picker", "scripts"]),
};

/** Checks each workspace with its own tsconfig.json, as an editor does, so that declarations of other workspaces are not visible in it. */
export const eachWorkspaceTypes: Check = {
  name: "types of each workspace",
  run: () => checkProjects([...listWorkspaces().map(({ dir }) => dir), "scripts"]),
};

/** Checks projects, as many at a time as there are cores. */
async function checkProjects(projects: readonly string[]): Promise<CheckResult> {
  const waiting = [...projects];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) {
      // By default the compiler uses four checkers, which repeat some of the work: twice the processor time.
      const { code, output } = await run("tsc", ["--noEmit", "--pretty", "false", "--checkers", "1", "--project", project]);
      if (code !== 0) failures.push(output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return { passed: failures.length === 0, output: failures.join("") };
}
