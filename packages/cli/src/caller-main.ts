/** `petak` without a clone: the commands of those who call a gateway, bundled by `npm run cli:bundle`. */
import { callerCommands } from "./caller-commands.ts";
import { helpText } from "./help-groups.ts";
import { processIo } from "./process-io.ts";
import { petak, run } from "./run.ts";

const names = new Set(callerCommands.map(({ name }) => name));

process.exitCode = await run(processIo, callerCommands, { ...petak, commandsText: helpText(names) });
