import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleMap } from "../map/bundle-map.ts";

const sourceDir = fileURLToPath(new URL("..", import.meta.url));

/** The oldest browsers that it runs in: the first with constructable style sheets, container queries and `:has`. */
const browsers = ["chrome119", "safari17.4", "firefox124"];

/** The files of the picker, by name. */
export type PickerFiles = ReadonlyMap<string, Uint8Array>;

/** Makes the files that a shop serves: `petak-picker.js`, which a page loads, and those that it loads when they are wanted: one for each language, and the map's; and the licences of what is in them. */
export async function bundlePicker(): Promise<PickerFiles> {
  const { define, files } = await bundleMap();
  const { outputFiles } = await build({
    define,
    entryPoints: { "petak-picker": join(sourceDir, "index.ts") },
    outdir: "out",
    chunkNames: "petak-[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: browsers,
    legalComments: "eof",
    logLevel: "warning",
  });
  const litDir = dirname(createRequire(import.meta.url).resolve("lit"));
  const licence = ["petak-lit-licence.txt", await readFile(join(litDir, "LICENSE"))] as const;
  return new Map([...files, licence, ...outputFiles.map(({ path, contents }) => [basename(path), contents] as const)]);
}

/** Writes the files into a folder, of which nothing else is left. */
export async function writePicker(folder: string, files: PickerFiles): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) await writeFile(join(folder, name), content);
}
