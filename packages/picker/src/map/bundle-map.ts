import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { makeShapes } from "./shapes/build/make-shapes.ts";

/** What the bundler of a picker with a map needs: the names that it defines, and the files that it adds: MapLibre's worker and licence. */
export async function bundleMap(): Promise<{ define: Record<string, string>; files: ReadonlyMap<string, Uint8Array> }> {
  const mapLibreDir = dirname(createRequire(import.meta.url).resolve("maplibre-gl/package.json"));
  return {
    define: { mapShapes: JSON.stringify(await makeShapes()) },
    files: new Map([
      ["petak-map-worker.js", await readFile(join(mapLibreDir, "dist/maplibre-gl-worker.mjs"))],
      ["petak-map-licence.txt", await readFile(join(mapLibreDir, "LICENSE.txt"))],
    ]),
  };
}
