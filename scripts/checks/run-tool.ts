import { run } from "../setup/run.mjs";
import type { CheckResult } from "./check.ts";

/** Runs tools one after another, up to the first that fails. Passed if all exit with 0. */
export async function runTools(commands: readonly (readonly string[])[]): Promise<CheckResult> {
  const outputs: string[] = [];
  for (const [command = "", ...args] of commands) {
    const { code, output } = await run(command, args);
    outputs.push(`$ ${command} ${args.join(" ")}\n${output}`);
    if (code !== 0) return { passed: false, output: outputs.join("\n") };
  }
  return { passed: true, output: outputs.join("\n") };
}
