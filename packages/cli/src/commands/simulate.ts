import { type Command, Option } from "commander";
import type { CommandModule } from "../command.ts";
import { addDemandOptions } from "../simulate/options.ts";
import { collect, decimalNumber, wholeNumber } from "../simulate/parse-number.ts";
import { prepareSimulation, type SimulateOptions } from "../simulate/prepare-simulation.ts";
import { addRunOptions, noDoors } from "../simulate/run-options.ts";
import { runPrepared } from "../simulate/run-prepared.ts";
import { sayingInput } from "../simulate/say-input.ts";
import { parseCountry } from "./country.ts";
import { parseSiteKind } from "./site-kind.ts";

/** Longest run by the system's clock: a week. */
const mostMinutes = 7 * 24 * 60;

/** `petak simulate`: a city's parcels against a running gateway, judged and measured, with a report. */
export const registerSimulate: CommandModule = (command, context) => {
  addDemandOptions(command)
    .option(
      "--minutes <count>",
      "how long the run takes by the system's clock (default: 5, or as fast as possible on a test clock)",
      decimalNumber("number of minutes", 0.01, mostMinutes),
    )
    .option("--trace <file>", "run this trace instead of drawing one")
    .option("--sites <file>", "sites for the run: a file that `petak import sites` takes (default: those of the gateway)")
    .option("--kind <terminal|store>", "kind of the sites of --sites (default: terminal)", parseSiteKind)
    .option("--country <code>", "country of the sites of --sites (default: by their position)", parseCountry)
    .option("--map <field=column,…>", "columns of --sites, as in `petak import sites`", collect)
    .option("--compartments <spec>", "compartments of each site of --sites, as in `petak import sites`")
    .option("--skip-refused", "leave out sites of --sites that cannot be imported")
    .option("--plan <count>", "place so many more sites where they help most, and run the city with them", wholeNumber(1, 1000))
    .addOption(new Option("--walk <m>", "for --plan: how far people walk").argParser(wholeNumber(50, 20_000)).default(500))
    .addOption(noDoors());
  addRunOptions(command).action(async (_options: object, running: Command) => {
    const session = context.session(running);
    const run = await sayingInput(() => prepareSimulation(session, running.opts<SimulateOptions>(), running));
    await runPrepared(session, run);
  });
};
