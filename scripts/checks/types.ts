import { availableParallelism } from "node:os";
import { run } from "../setup/run.mjs";
import type { Check, CheckResult } from "./check.ts";
import { listWorkspaces } from "./workspaces.ts";

/**
 * All workspaces as one program, then the scripts, which are partly JavaScript. One program reads each file once: a program for each workspace
 * takes five times the processor time, since each reads the sources of those below it again.
 */
export const types: Check = { name: "types", run: () => checkProjects([".", "scripts"]) };

/** Each workspace by its own tsconfig.json, as an editor sees it: nothing is known in it that another one declares for all. */
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
      // By itself the compiler divides a program among four checkers, which do some of the work several times: twice the processor time.
      const { code, output } = await run("tsc", ["--noEmit", "--pretty", "false", "--checkers", "1", "--project", project]);
      if (code !== 0) failures.push(output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return { passed: failures.length === 0, output: failures.join("") };
}
