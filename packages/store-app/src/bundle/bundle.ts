import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licencesOf } from "./licences.ts";

const sourceDir = fileURLToPath(new URL("..", import.meta.url));
const rootDir = fileURLToPath(new URL("../../../..", import.meta.url));

/** The oldest browsers that it runs in. */
const browsers = ["chrome119", "safari17.4", "firefox124"];

/** The files of the app, by name. */
export type StoreAppFiles = ReadonlyMap<string, Uint8Array>;

/** The content security policy under which the app works. Scanning needs `'wasm-unsafe-eval'` where the browser has no detector of its own. */
export const storeAppPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; " +
  "worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Makes the files that an agent serves to its store's tablets: `index.html`, scripts, style sheet, the decoder of codes, a service worker, and the licences of all that is in them. */
export async function bundleStoreApp(): Promise<StoreAppFiles> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: rootDir,
    metafile: true,
    entryPoints: { app: join(sourceDir, "main.ts"), styles: join(sourceDir, "app.css") },
    outdir: "out",
    entryNames: "app",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: browsers,
    legalComments: "none",
    logLevel: "warning",
  });
  const files = new Map<string, Uint8Array>(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  for (const name of ["index.html", "mark.svg", "manifest.webmanifest"]) files.set(name, await readFile(join(sourceDir, name)));
  files.set("zxing_reader.wasm", await readFile(fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"))));
  files.set("worker.js", await bundleWorker(files));
  const licences = await licencesOf(rootDir, [...Object.keys(metafile.inputs), "node_modules/zxing-wasm"]);
  return files.set("third-party.txt", Buffer.from(licences));
}

/** Bundles the service worker, which knows the names of all files, and by its version when one of them is another. */
async function bundleWorker(files: StoreAppFiles): Promise<Uint8Array> {
  const version = createHash("sha256");
  for (const content of files.values()) version.update(content);
  const paths = ["/", ...[...files.keys()].filter((name) => name !== "index.html").map((name) => `/${name}`)];
  const { outputFiles } = await build({
    entryPoints: [join(sourceDir, "worker/worker.ts")],
    define: { appFiles: JSON.stringify(paths), appVersion: JSON.stringify(version.digest("hex").slice(0, 12)) },
    bundle: true,
    minify: true,
    write: false,
    platform: "browser",
    target: browsers,
    logLevel: "warning",
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** Writes the files into a folder, of which nothing else is left. */
export async function writeStoreApp(folder: string, files: StoreAppFiles): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) await writeFile(join(folder, name), content);
}
