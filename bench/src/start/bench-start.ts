import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";

const root = join(import.meta.dirname, "../../..");
const petak = join(root, "packages/cli/bin/petak.mjs");

/** Starts in a measurement. Each case has one after the other, so that what else the machine does meets all of them. */
const starts = 15;

/** `--help` of a command loads all that the command needs, and calls nobody. */
const casesWith = (bundled: string): (readonly [command: string, args: readonly string[]])[] => [
  ["node -e 0", ["-e", "0"]],
  ["petak --help", [petak, "--help"]],
  ["petak find --help", [petak, "find", "--help"]],
  ["petak reserve --help", [petak, "reserve", "--help"]],
  ["petak find --help, bundled", [bundled, "find", "--help"]],
  ["petak reserve --help, bundled", [bundled, "reserve", "--help"]],
];

/** Measures how long commands take from their start to their end. Of the benches' common options only those of the output apply. */
export async function benchStart({ json, isDry }: { json: boolean; isDry: boolean }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "petak-start-"));
  await promisify(execFile)(process.execPath, [join(root, "scripts/bundle-cli.mjs"), "--out", folder]);
  const cases = casesWith(join(folder, "petak.mjs"));
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  const times = cases.map(() => [] as number[]);
  // The first start of each fills the compile cache, and is not counted.
  for (let round = 0; round <= starts; round += 1) {
    for (const [index, [, args]] of cases.entries()) {
      const beganMs = performance.now();
      await promisify(execFile)(process.execPath, args, { env });
      if (round > 0) times[index]?.push(performance.now() - beganMs);
    }
  }
  await rm(folder, { recursive: true });
  const [bareMs = Number.NaN, ...others] = times.map(median);
  const report = {
    node: process.version,
    nodeMs: Math.round(bareMs),
    commands: others.map((ms, index) => ({
      command: cases[index + 1]?.[0] ?? "",
      ms: Math.round(ms),
      ratio: Number((ms / bareMs).toFixed(1)),
    })),
  };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${textOf(report)}\n`);
  if (isDry || json) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "start.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- start", textOf(report));
}

function textOf({
  node,
  nodeMs,
  commands,
}: {
  node: string;
  nodeMs: number;
  commands: { command: string; ms: number; ratio: number }[];
}): string {
  const rows = commands.map(({ command, ms, ratio }) => `| \`${command}\` | ${ms} ms | ${ratio} |`);
  return ["| command | median | times `node -e 0` |", "|---|---|---|", `| \`node -e 0\` (${node}) | ${nodeMs} ms | 1 |`, ...rows].join(
    "\n",
  );
}
