/**
 * Sets up what is required, then runs a script of this repository under the project's Node: `node scripts/with-node.mjs bench/src/main.ts
 * rpc`.
 */
import { runUnderNode } from "./setup/run.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

const [script, ...args] = process.argv.slice(2);
await setUpOrExit({ server: script?.startsWith("bench/") === true });
process.exitCode = await runUnderNode(script ?? "", args);
