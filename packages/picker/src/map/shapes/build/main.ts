/** The program behind `npm run picker:shapes`: says how large the map's shapes are, and writes them to a file if one is named. */
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { makeShapes } from "./make-shapes.ts";

const [, , file] = process.argv;
const shapes = await makeShapes();
const kibOf = (text: string) => Math.round(gzipSync(text).length / 1024);
for (const [name, text] of Object.entries({ ...shapes, all: JSON.stringify(shapes) })) {
  process.stdout.write(`${name}: ${kibOf(text)} KiB after gzip\n`);
}
if (file !== undefined) await writeFile(file, JSON.stringify(shapes));
