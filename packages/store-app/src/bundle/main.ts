/** The program behind `npm run store-app:bundle`. */
import { resolve } from "node:path";
import { bundleStoreApp, writeStoreApp } from "./bundle.ts";

const [, , folder = "packages/store-app/dist", flag] = process.argv;
const files = await bundleStoreApp();
await writeStoreApp(resolve(folder), files);
const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
if (flag !== "--quiet") process.stdout.write(`${folder}: ${files.size} files, ${Math.round(bytes / 1024)} KiB\n`);
