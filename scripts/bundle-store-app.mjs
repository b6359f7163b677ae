/**
 * `npm run store-app:bundle [-- --out FOLDER]`: makes the folder of files that a store's agent serves to the tablets at its counter. It takes about a
 * second.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runUnderNode } from "./setup/run.mjs";

const { values } = parseArgs({ options: { out: { type: "string", default: "packages/store-app/dist" } } });
process.exitCode = await runUnderNode("packages/store-app/src/bundle/main.ts", [resolve(values.out)]);
