/**
 * `npm start`: sets up everything required, then runs the gateway with a demonstration network. Arguments are passed to it: `npm start --
 * --port 9000`.
 */
import { runMain } from "../packages/cli/bin/run-main.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

await setUpOrExit({ server: true });
runMain(["start", ...process.argv.slice(2)]);
