/**
 * `npm start`: sets up everything required, then runs the gateway with a demonstration network. Arguments are passed to it: `npm start --
 * --port 9000`.
 */
import { runMain } from "../packages/cli/bin/run-main.mjs";
import { runUnderNode } from "./setup/run.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

await setUpOrExit({ server: true });
// Without the app the store's counter answers, and shows nothing.
await runUnderNode("packages/store-app/src/bundle/main.ts", ["packages/store-app/dist", "--quiet"]);
runMain(["start", ...process.argv.slice(2)]);
