import { lazyCommands } from "./commands.ts";
import { processIo } from "./process-io.ts";
import { run } from "./run.ts";

process.exitCode = await run(processIo, lazyCommands);
