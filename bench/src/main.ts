/**
 * `npm run bench -- <name>`: measures, prints a table, writes `bench/results/<name>.json` and refreshes `docs/performance.md`.
 *
 * Whatever is compared is measured in one run. Options: `--seconds N` for each measurement (default 4), `--rounds N` (default 3; the
 * median counts), `--json` for the result alone, `--dry` to print it and keep nothing. Of the allocator's bench: `--only <part>` for one of its parts, `--sites N` for the size of
 * its largest network; such a run is printed and not kept. `scale` measures nothing: it reckons from the two recorded runs what ASEAN needs.
 */
import { parseArgs } from "node:util";
import { type AllocatorBenchOptions, benchAllocator } from "./allocator/bench-allocator.ts";
import { benchCustody } from "./custody/bench-custody.ts";
import { benchRpc } from "./rpc/bench-rpc.ts";
import { writeScale } from "./scale/write-scale.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    only: { type: "string" },
    sites: { type: "string" },
    dry: { type: "boolean", default: false },
  },
});

const benches: Record<string, (options: AllocatorBenchOptions) => Promise<void>> = {
  rpc: benchRpc,
  allocator: benchAllocator,
  custody: benchCustody,
  scale: writeScale,
};
const [name = ""] = positionals;
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`bench: there is no bench ${JSON.stringify(name)}; there is: ${Object.keys(benches).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const { seconds, rounds, json, only, sites, dry } = values;
  await bench({
    seconds: Number(seconds),
    rounds: Number(rounds),
    json,
    only,
    sites: sites === undefined ? undefined : Number(sites),
    isDry: dry,
  });
}
