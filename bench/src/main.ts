/**
 * `npm run bench -- <name>`: measures, prints a table, writes `bench/results/<name>.json` and refreshes `docs/performance.md`.
 *
 * Whatever is compared is measured in one run. Options: `--seconds N` for each measurement (default 4), `--rounds N` (default 3; the
 * median counts), `--json` for the result alone.
 */
import { parseArgs } from "node:util";
import { benchRpc } from "./rpc/bench-rpc.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});

const benches: Record<string, (options: { seconds: number; rounds: number; json: boolean }) => Promise<void>> = { rpc: benchRpc };
const [name = ""] = positionals;
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`bench: there is no bench ${JSON.stringify(name)}; there is: ${Object.keys(benches).join(", ")}\n`);
  process.exitCode = 2;
} else {
  await bench({ seconds: Number(values.seconds), rounds: Number(values.rounds), json: values.json });
}
