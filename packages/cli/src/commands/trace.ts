import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import type { Session } from "../session.ts";
import { cutTraceFile } from "../simulate/cut-trace-file.ts";
import { drawDemand, readDemand, usualParcels } from "../simulate/demand.ts";
import { importBikeTrips, importTrace } from "../simulate/import-trace.ts";
import { addDemandOptions, addImportOptions, type DrawOptions, type ImportTraceCommandOptions, importFacts } from "../simulate/options.ts";
import { periodOf } from "../simulate/period.ts";
import { sayingInput } from "../simulate/say-input.ts";
import { writeTraceFile } from "../simulate/write-file.ts";
import { formatCount } from "../terminal/progress.ts";
import { parseTime, type WrittenTime } from "./instant.ts";

/** `petak trace`: makes traces without a gateway. */
export const registerTrace: CommandModule = (command, context) => {
  addDemandOptions(command.command("draw").description("draw what the people of a city mean to do, and write it as a trace"))
    .requiredOption("-o, --out <file>", "the trace that is written, e.g. trace.ndjson")
    .action(async (options: DrawOptions & { out: string }, running: Command) => {
      const session = context.session(running);
      await sayingInput(() => draw(session, options));
    });
  addImportOptions(command.command("import").description("make a trace of a CSV file of your own: a row for each parcel"))
    .argument("<file>", "the CSV file, with a first row that names the columns")
    .option("--stations <file>", "the rows are bike-share trips, between the stations of this CSV file")
    .requiredOption("-o, --out <file>", "the trace that is written, e.g. trace.ndjson")
    .action(async (path: string, options: ImportTraceCommandOptions & { out: string; stations?: string }, running: Command) => {
      const session = context.session(running);
      await sayingInput(() => importFile(session, path, options));
    });
  command
    .command("cut")
    .description("take what begins in a part of a trace's time, e.g. its busiest hour, as a trace of its own")
    .argument("<file>", "the trace")
    .option(
      "--from <time>",
      "begin of the part, e.g. 2026-11-11T20:00+08:00, or +20h from the begin of the trace (default: that of the trace)",
      parseTime,
    )
    .option("--to <time>", "end of the part, e.g. 2026-11-11T21:00+08:00 or +21h (default: that of the trace)", parseTime)
    .requiredOption("-o, --out <file>", "the trace that is written, e.g. peak.ndjson")
    .action(async (path: string, options: { from?: WrittenTime; to?: WrittenTime; out: string }, running: Command) => {
      const session = context.session(running);
      await sayingInput(async () => {
        const { header, count } = await cutTraceFile(session.resolve(path), session.resolve(options.out), options);
        describe(session, options.out, count, header.city, []);
      });
    });
};

async function draw(session: Session, options: DrawOptions & { out: string }): Promise<void> {
  const demand = await readDemand(options, session.resolve);
  const { city, people, remarks } = demand;
  const period = periodOf({ from: options.from, days: options.days, timeZone: city.timeZone, nowMs: session.io.now() });
  const trace = await drawDemand(demand, period, options.parcels ?? usualParcels(people), options.seed);
  await writeTraceFile(session.resolve(options.out), trace.header, trace.intentions);
  describe(session, options.out, trace.count, trace.header.city, remarks);
}

async function importFile(
  session: Session,
  path: string,
  options: ImportTraceCommandOptions & { out: string; stations?: string },
): Promise<void> {
  const facts = importFacts(session.resolve(path), options);
  const { header, intentions, remarks } =
    options.stations === undefined
      ? await importTrace(facts)
      : await importBikeTrips({ ...facts, stations: session.resolve(options.stations) });
  await writeTraceFile(session.resolve(options.out), header, intentions);
  describe(session, options.out, intentions.length, header.city, remarks);
}

function describe({ output }: Session, file: string, count: number, city: string, remarks: readonly string[]): void {
  output.json({ file, intentions: count, city, remarks });
  output.print(`${formatCount(count)} intentions of ${city} in ${output.colors.cyan(file)}.`);
  for (const remark of remarks) output.print(output.colors.dim(remark));
}
