/** `npm start`: sets up all that is needed, then runs the gateway with a demonstration network. Arguments go to it: `npm start -- --port 9000`. */
import { runMain } from "../packages/cli/bin/run-main.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

await setUpOrExit({ server: true });
runMain(["start", ...process.argv.slice(2)]);
