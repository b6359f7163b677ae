/** The program behind `npm run picker:bundle`. */
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { bundlePicker, writePicker } from "./bundle.ts";

const [, , folder = "packages/picker/dist"] = process.argv;
const files = await bundlePicker();
await writePicker(resolve(folder), files);
const size = gzipSync(files.get("petak-picker.js") ?? "").length;
process.stdout.write(`${folder}: ${files.size} files; a page loads petak-picker.js first, ${Math.round(size / 1024)} KiB after gzip\n`);
