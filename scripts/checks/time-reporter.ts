import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { repositoryDir } from "../setup/run.mjs";
import type { FileTime } from "./budget.ts";

/** A vitest reporter that writes the duration of each file, as JSON, to the file that `PETAK_TEST_TIMES` names. Prints nothing. */
export default class TimeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env.PETAK_TEST_TIMES;
    if (path === undefined) return;
    const times: FileTime[] = modules.map((module) => {
      const { prepareDuration, setupDuration, collectDuration, duration } = module.diagnostic();
      return {
        path: relative(repositoryDir, module.moduleId),
        project: module.project.name,
        ms: prepareDuration + setupDuration + collectDuration + duration,
      };
    });
    writeFileSync(path, JSON.stringify(times));
  }
}
