/**
 * `npm run picker:bundle [-- --out FOLDER]`: makes the files of `<petak-picker>` that a shop serves. It takes about a second.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runUnderNode } from "./setup/run.mjs";

const { values } = parseArgs({ options: { out: { type: "string", default: "packages/picker/dist" } } });
process.exitCode = await runUnderNode("packages/picker/src/bundle/main.ts", [resolve(values.out)]);
