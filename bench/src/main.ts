/** Runs a bench, prints a table, writes `bench/results/<name>.json` and refreshes `docs/performance.md`; see {@link usage}. */
import { parseArgs } from "node:util";
import { benchAgent } from "./agent/bench-agent.ts";
import { type AllocatorBenchOptions, benchAllocator } from "./allocator/bench-allocator.ts";
import { benchBundleSize } from "./bundle-size/bench-bundle-size.ts";
import { benchCustody } from "./custody/bench-custody.ts";
import { benchFairness } from "./fairness/bench-fairness.ts";
import { benchRent } from "./rent/bench-rent.ts";
import { benchRpc } from "./rpc/bench-rpc.ts";
import { writeScale } from "./scale/write-scale.ts";
import { benchStart } from "./start/bench-start.ts";
import { benchTracing } from "./tracing/bench-tracing.ts";
import { benchWorkers } from "./workers/bench-workers.ts";

const benches: Record<string, (options: AllocatorBenchOptions) => Promise<void>> = {
  rpc: benchRpc,
  allocator: benchAllocator,
  custody: benchCustody,
  "bundle-size": benchBundleSize,
  rent: benchRent,
  fairness: benchFairness,
  agent: benchAgent,
  scale: writeScale,
  start: benchStart,
  workers: benchWorkers,
  tracing: benchTracing,
};

const usage = `npm run bench -- <name> [options]

  rpc         whole calls, compared with bare servers
  allocator   finding and holding, compared with GEOSEARCH and PostgreSQL
  custody     whole lives of reservations, compared with PostgreSQL
  bundle-size what a web page loads of the client
  rent        what each special path of a gateway saves
  fairness    what others find beside a hostile participant, and beside harmless clients
  agent       the bundled agent of a terminal: memory, idling, start and decisions
  start       how long a command of \`petak\` takes to start, compared with Node alone
  workers     a gateway with two workers, compared with one
  tracing     what spans and traces of events cost a gateway, compared with none
  scale       estimates from the recorded runs of rpc and allocator what ASEAN needs; measures nothing

Compared figures are measured in one run. The result is printed, written to bench/results/<name>.json, and put into docs/performance.md.

  --seconds N   length of each measurement, default 4
  --rounds N    how often everything is measured, default 3; the median counts
  --dry         print the result without storing it
  --json        print the result as JSON, and nothing else
  --only PART   for allocator, one of its parts; for rent, one path; for fairness, one kind of traffic; for tracing, search or life; printed and not stored
  --sites N     for allocator, the size of its largest network; printed and not stored
`;

/** The command line is wrong. */
class UsageError extends Error {}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "4" },
        rounds: { type: "string", default: "3" },
        json: { type: "boolean", default: false },
        only: { type: "string" },
        sites: { type: "string" },
        dry: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new UsageError(`--${option} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  if (values.help) return void process.stdout.write(usage);
  const [name = "", ...more] = positionals;
  const bench = benches[name];
  if (bench === undefined || more.length > 0) {
    throw new UsageError(`give one of ${Object.keys(benches).join(", ")}, not ${JSON.stringify(positionals.join(" "))}`);
  }
  await bench({
    seconds: positive("seconds", values.seconds),
    rounds: positive("rounds", values.rounds),
    json: values.json,
    only: values.only,
    sites: values.sites === undefined ? undefined : positive("sites", values.sites),
    isDry: values.dry,
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
