import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

/**
 * Replaces `packages/cli/src/main.ts`: prints its arguments and the signals it receives, and exits with 7 a moment after the first signal.
 */
const fakeMain = `
const { argv }: { argv: string[] } = process;
if (argv[2] === "code") process.exit(Number(argv[3]));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    console.log(signal);
    setTimeout(() => process.exit(7), 300);
  });
}
console.log(JSON.stringify(argv.slice(2)));
setInterval(() => {}, 1_000);
`;

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "petak-launcher-"));
  await cp(join(repositoryDir, "packages/cli/bin"), join(dir, "packages/cli/bin"), { recursive: true });
  await mkdir(join(dir, "packages/cli/src"));
  await writeFile(join(dir, "packages/cli/package.json"), '{ "type": "module" }');
  await writeFile(join(dir, "packages/cli/src/main.ts"), fakeMain);
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

function launch(args: string[], env: Record<string, string> = {}): ChildProcess & { lines: AsyncIterator<string> } {
  // As from a terminal, not as from the npm that runs these tests.
  const { npm_command: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(dir, "packages/cli/bin/petak.mjs"), ...args], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return Object.assign(child, { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
}

async function rest(lines: AsyncIterator<string>): Promise<string[]> {
  const all: string[] = [];
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) all.push(next.value);
  return all;
}

test("arguments and the exit code are passed through", async () => {
  const running = launch(["start", "--port", "9000"]);
  expect((await running.lines.next()).value).toBe('["start","--port","9000"]');
  running.kill("SIGTERM");
  expect(await once(running, "exit")).toEqual([7, null]);
  expect(await once(launch(["code", "3"]), "exit")).toEqual([3, null]);
});

test.each([
  { name: "SIGTERM", sent: ["SIGTERM"], received: "SIGTERM" },
  { name: "a Ctrl-C that npm passes on as well", sent: ["SIGINT", "SIGINT"], received: "SIGINT" },
  { name: "SIGHUP without a terminal", sent: ["SIGHUP"], received: "SIGHUP" },
] as const)("$name arrives as one signal", async ({ sent, received }) => {
  const running = launch([]);
  await running.lines.next();
  for (const signal of sent) running.kill(signal);
  expect(await rest(running.lines)).toEqual([received]);
  expect(running.exitCode ?? (await once(running, "exit"))[0]).toBe(7);
});

test.skipIf(process.platform !== "linux")("a closed terminal arrives as SIGTERM", async () => {
  const command = `"${process.execPath}" "${join(dir, "packages/cli/bin/petak.mjs")}" & echo $!; wait $!`;
  const terminal = spawn("script", ["--quiet", "--command", command, "/dev/null"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: terminal.stdout })[Symbol.asyncIterator]();
  const pid = Number((await lines.next()).value);
  await lines.next();
  process.kill(pid, "SIGHUP");
  expect((await lines.next()).value?.trim()).toBe("SIGTERM");
  await once(terminal, "exit");
});

test("it exits cleanly when npm's shell ends without forwarding a signal", async () => {
  const command = `"${process.execPath}" "${join(dir, "packages/cli/bin/petak.mjs")}" & wait`;
  const shell = spawn("/bin/sh", ["-c", command], { env: { ...process.env, npm_command: "start" }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  await lines.next();
  shell.kill("SIGKILL");
  expect(await rest(lines)).toEqual(["SIGTERM"]);
});
