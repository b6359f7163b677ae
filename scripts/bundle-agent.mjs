/**
 * `npm run agent:bundle [-- --out FOLDER]`: makes a folder that runs an agent with Node 24 and nothing else, `node petak-agent.mjs run …`. Beside the
 * program it has the store's app, the unit for systemd, the example of a cabinet driver, and the licences of all that is in it.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { runUnderNode } from "./setup/run.mjs";
import { thirdPartyLicences } from "./third-party-licences.mjs";

const root = dirname(import.meta.dirname);
const { values } = parseArgs({ options: { out: { type: "string", default: "dist/petak-agent" } } });
const folder = resolve(values.out);

await mkdir(folder, { recursive: true });
const { metafile } = await build({
  entryPoints: [join(root, "packages/cli/src/agent-main.ts")],
  outfile: join(folder, "petak-agent.mjs"),
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  banner: { js: "#!/usr/bin/env node" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

await writeFile(join(folder, "THIRD-PARTY.txt"), await thirdPartyLicences(metafile));
for (const file of ["LICENSE", "NOTICE", "deploy/petak-agent.service", "examples/cabinet-driver/lock-board.mjs"]) {
  await copyFile(join(root, file), join(folder, basename(file)));
}
if ((await runUnderNode("packages/store-app/src/bundle/main.ts", [join(folder, "store-app"), "--quiet"])) !== 0) process.exit(1);
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`${relative(process.cwd(), folder) || "."}: petak-agent.mjs, ${Math.round(bytes / 1024)} KiB\n`);
