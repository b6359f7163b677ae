import { execFile } from "node:child_process";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { connectRedis } from "@petak/redis";
import { findRedisServer } from "@petak/redis/server";
import { processEnv, tempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { readCodeBlocks } from "../examples/code-blocks.ts";
import { runPetak, startPetak } from "../testing/petak-process.ts";

const page = join(import.meta.dirname, "../../../docs/restore.md");
const run = promisify(execFile);

/** Runs a block of the page in a folder. */
async function readerIn(folder: string) {
  const { path, flavour } = (await findRedisServer()) ?? {};
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "redis-cli"), `#!/bin/sh\nexec ${join(dirname(path ?? ""), `${flavour}-cli`)} "$@"\n`, { mode: 0o755 });
  const env = processEnv({ PATH: `${bin}${delimiter}${process.env.PATH}` });
  return (code: string) => run("sh", ["-e", "-c", code], { cwd: folder, env });
}

/** Starts the demonstration without its store and shop, and kills it with its Redis when asked to. */
async function start(folder: string) {
  const petak = await startPetak(folder, ["start", "--port", "0", "--demo-sites", "60", "--durability", "always", "--json"], /"url"/);
  onTestFinished(petak.kill);
  const { url } = JSON.parse(petak.said().slice(petak.said().indexOf("{"))) as { url: string };
  return {
    url,
    petak,
    async ask(...args: string[]) {
      const { exitCode, stdout, stderr } = await runPetak(folder, [...args, "--json", "--url", url]);
      if (exitCode !== 0) throw new Error(`petak ${args.join(" ")}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    keys: async () => await (await fetch(`${url}/.well-known/petak/jwks.json`)).json(),
    async die() {
      const redis = connectRedis({ socketPath: join(folder, ".petak/redis/server.sock") }, { onError: () => undefined });
      await redis.connect();
      const [, pid = ""] = /process_id:(\d+)/.exec(await redis.info("server")) ?? [];
      redis.disconnect();
      petak.kill();
      process.kill(Number(pid), "SIGKILL");
    },
  };
}

test("the copy of a running network, put back by the page's commands, has all of before the copy, and knows nothing of what came after", {
  timeout: 300_000,
}, async () => {
  const folder = await tempDir();
  const blocks = (await readCodeBlocks(page)).filter(({ language }) => language === "sh").map(({ code }) => code);
  const [copy = "", putBack = ""] = blocks;
  const shell = await readerIn(folder);
  const before = await start(folder);
  const reserve = async () => ((await before.ask("reserve", "1.3521,103.8198")).reservation as { reservationId: string }).reservationId;
  const early = await reserve();
  await before.ask("confirm", early);
  const known = await before.ask("reservation", early);
  const keys = await before.keys();
  await shell(copy);
  const late = await reserve();
  await before.die();
  await rename(join(folder, ".petak"), join(folder, "lost"));
  await shell(putBack);

  const after = await start(folder);
  expect(await after.ask("reservation", early)).toEqual(known);
  // What was issued before still opens doors: agents trust these keys.
  expect(await after.keys()).toEqual(keys);
  await expect(after.ask("reservation", late)).rejects.toThrow("RESERVATION_NOT_FOUND");
  expect(await after.ask("credentials", "issue", early, "--act", "deposit")).toHaveProperty("accessToken");
  expect((await runPetak(folder, ["archive", "verify"])).exitCode).toBe(0);
  expect(await after.petak.interrupt()).toBe(0);
});

test("nothing is put back over what is there", async () => {
  const folder = await tempDir();
  const [, putBack = ""] = (await readCodeBlocks(page)).filter(({ language }) => language === "sh").map(({ code }) => code);
  await mkdir(join(folder, ".petak"));
  await expect((await readerIn(folder))(putBack)).rejects.toThrow("File exists");
});
