import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { addImportOptions } from "../simulate/options.ts";
import { prepareReplay, type ReplayOptions } from "../simulate/prepare-replay.ts";
import { addRunOptions, noDoors, parseRate, parseSpeed } from "../simulate/run-options.ts";
import { runPrepared } from "../simulate/run-prepared.ts";
import { sayingInput } from "../simulate/say-input.ts";

/** `petak replay`: a trace, or a load tester's own CSV, at a speed or a rate. */
export const registerReplay: CommandModule = (command, context) => {
  addImportOptions(command.argument("<file>", "a trace, or a CSV file with a row for each parcel, which becomes one"))
    .option("--speed <factor>", "how many times faster than the trace, e.g. 60", parseSpeed)
    .option("--rate <count/s>", "intentions begun on average, e.g. 500/s, 30/min", parseRate)
    .addOption(noDoors());
  addRunOptions(command).action(async (path: string, _options: object, running: Command) => {
    const session = context.session(running);
    const run = await sayingInput(() => prepareReplay(session, path, running.opts<ReplayOptions>(), running));
    await runPrepared(session, run);
  });
};
