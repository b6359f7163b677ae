/**
 * `npm run picker:demo [-- --port 8090] [-- --demo-sites 3000]`: a gateway of its own with the demonstration network, as `npm start` runs it, and a page with
 * the picker in front of it. Everything is gone when it ends.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryDir, runUnderNode } from "./setup/run.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "8090" }, "demo-sites": { type: "string", default: "3000" } },
});

await setUpOrExit({ server: true });
const dataDir = await mkdtemp(join(tmpdir(), "petak-picker-demo-"));
const start = ["start", "--json", "--port", "0", "--demo-sites", values["demo-sites"], "--data-dir", dataDir];
const gateway = spawn(process.execPath, [join(repositoryDir, "packages/cli/bin/petak.mjs"), ...start], {
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = once(gateway, "exit");
process.on("SIGINT", () => gateway.kill("SIGINT")).on("SIGTERM", () => gateway.kill("SIGTERM"));
try {
  const greeting = await readJson(gateway.stdout);
  if (greeting === undefined) process.exitCode = 1;
  else process.exitCode = await runUnderNode("packages/picker/src/demo/main.ts", [greeting.url, greeting.publishableKey, values.port]);
} finally {
  gateway.kill("SIGINT");
  await ended;
  await rm(dataDir, { recursive: true, force: true });
}

/**
 * The one JSON value that a gateway prints when it is ready. Undefined: it ended before, and has said why.
 *
 * @param {import("node:stream").Readable} stream
 * @returns {Promise<{ url: string; publishableKey: string } | undefined>}
 */
async function readJson(stream) {
  let text = "";
  for await (const piece of stream) {
    text += piece;
    if (text.endsWith("}\n")) return JSON.parse(text);
  }
  return undefined;
}
