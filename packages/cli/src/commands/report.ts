import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { compareRuns } from "../simulate/compare-runs.ts";
import { reportOfLog } from "../simulate/report-files.ts";
import { sayingInput } from "../simulate/say-input.ts";

/** `petak report`: the report of a run log, or of two runs side by side. */
export const registerReport: CommandModule = (command, context) => {
  command
    .argument("<log>", "a run log, as petak simulate and petak replay write it")
    .option("-o, --out <file>", 'the report; its figures are beside it as .json (default: "petak-report.html")')
    .option("--trace <file>", "the trace of the run, for the comparison of ways to deliver")
    .action(async (log: string, { out = "petak-report.html", trace }: { out?: string; trace?: string }, running: Command) => {
      const session = context.session(running);
      await sayingInput(() => reportOfLog(session, log, { out, trace }));
    });
  command
    .command("compare")
    .description("two runs side by side, with their differences")
    .argument("<a>", "a run's figures, e.g. petak-report.json, or its log")
    .argument("<b>", "those of the other one")
    .option("-o, --out <file>", 'the comparison; its numbers are beside it as .json (default: "petak-comparison.html")')
    .action(async (a: string, b: string, _: object, running: Command) => {
      const session = context.session(running);
      // The command above has an option of the same name, and takes it.
      const { out = "petak-comparison.html" } = running.optsWithGlobals<{ out?: string }>();
      await sayingInput(() => compareRuns(session, [a, b], out));
    });
};
