/** `npm run format`: formats the sources and the protos, and applies the safe fixes of the linter. */
import { runTools } from "./checks/run-tool.ts";

const { passed, output } = await runTools([
  ["biome", "check", "--write"],
  ["buf", "format", "proto", "--write"],
]);
process.stdout.write(output);
process.exitCode = passed ? 0 : 1;
