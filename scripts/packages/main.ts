/**
 * `npm run packages [-- --out FOLDER]`: makes a tarball of each package that other projects install, which `npm install` takes as it is. Prints their sizes.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "../setup/run.mjs";
import { compile } from "./compile.ts";
import { readManifest, sourcesOf, tarballsIn } from "./manifests.ts";
import { publicPackages } from "./public-packages.ts";
import { stage } from "./stage.ts";

const { values } = parseArgs({ options: { out: { type: "string", default: "dist/packages" } } });
const folder = resolve(values.out);
const work = await mkdtemp(join(tmpdir(), "petak-packages-"));

try {
  const packages = publicPackages.map((wanted) => ({ wanted, manifest: readManifest(wanted.dir) }));
  const sources = packages.flatMap(({ wanted, manifest }) => sourcesOf(wanted, manifest).map((source) => join(wanted.dir, source)));
  await compile(sources, work);
  const folders = packages.map(({ wanted }) => join(work, "staged", wanted.dir));
  for (const [index, { wanted, manifest }] of packages.entries()) {
    await stage(wanted, manifest, join(work, wanted.dir, "src"), folders[index] ?? "");
  }
  await mkdir(folder, { recursive: true });
  const names = packages.map(({ manifest }) => manifest.name);
  for (const old of tarballsIn(folder, names)) await rm(old);
  print(await pack(folders));
} finally {
  await rm(work, { recursive: true });
}

/** What npm says of a tarball that it has made. */
interface Tarball {
  filename: string;
  size: number;
  unpackedSize: number;
}

/** Packs folders into the output folder. */
async function pack(folders: readonly string[]): Promise<Tarball[]> {
  const { code, output } = await run("npm", ["pack", "--json", "--loglevel=error", "--pack-destination", folder, ...folders]);
  if (code !== 0) throw new Error(`npm pack failed:\n${output}`);
  return JSON.parse(output) as Tarball[];
}

function print(tarballs: readonly Tarball[]): void {
  const kib = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`.padStart(9);
  for (const { filename, size, unpackedSize } of tarballs) {
    process.stdout.write(`${filename.padEnd(32)}${kib(size)}, unpacked ${kib(unpackedSize)}\n`);
  }
  process.stdout.write(`in ${relative(process.cwd(), folder) || "."}\n`);
}
