import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createRandom, createTempDir, processEnv, testSeed } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { courierExamples, repositoryDir } from "./courier-examples.ts";

const examples = (await courierExamples()).filter(({ obstacle }) => obstacle === undefined);

/** A running example, with what it has printed. */
interface Running {
  readonly child: ChildProcess;
  said(): string;
  noted(): string;
  readonly exited: Promise<[code: number | null]>;
}

function start([program, ...args]: readonly [string, ...string[]], cwd: string): Running {
  const child = spawn(program, args, { cwd, env: processEnv({ HOME: process.env.HOME ?? "", PYTHONDONTWRITEBYTECODE: "1" }) });
  onTestFinished(() => void child.kill());
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.err += chunk));
  return { child, said: () => text.out, noted: () => text.err, exited: once(child, "close") as Promise<[number | null]> };
}

/** A free port below those that systems give to whoever asks for any, so that nobody gets it while the gateway is down. */
async function quietPort(): Promise<number> {
  const random = createRandom(testSeed());
  for (;;) {
    const port = random.int(20_000, 30_000);
    const listener = createServer().listen(port, "127.0.0.1");
    const isFree = await once(listener, "listening").then(
      () => true,
      () => false,
    );
    await new Promise((resolve) => listener.close(resolve));
    if (isFree) return port;
  }
}

it.each(examples)("the courier's example in $language survives restarts of the gateway", { timeout: 240_000 }, async (example) => {
  await using folder = await createTempDir();
  const port = String(await quietPort());
  const startGateway = async (): Promise<StartedPetak> =>
    await startPetak(folder.path, ["start", "--port", port, "--demo-sites", "120"], /Stop with Ctrl-C/);
  let gateway = await startGateway();
  onTestFinished(async () => void (await gateway.interrupt()));
  const url = `http://127.0.0.1:${port}`;
  const interrupt = async () => expect(await gateway.interrupt()).toBe(0);

  // It begins while the gateway is down, so that it is refused a connection.
  await interrupt();
  const courier = start([...example.command, "--gateway", url], folder.path);
  gateway = await startGateway();
  await expect.poll(courier.said).toContain('"COLLECT"');
  // Now it waits for events in a long poll.
  await interrupt();
  gateway = await startGateway();
  expect([courier.child.exitCode, courier.noted()]).toEqual([null, ""]);

  const script = join(repositoryDir, "examples/terminal-typescript/terminal.ts");
  const terminal = start([process.execPath, script, "--gateway", url, "--keys", ".petak/keys"], folder.path);
  terminal.child.stdin?.on("error", () => courier.child.kill()).write(courier.said());
  courier.child.stdout?.pipe(terminal.child.stdin as NodeJS.WritableStream);
  for (const one of [courier, terminal]) expect([await one.exited, one.noted()]).toEqual([[0, null], ""]);
  expect(courier.said().trimEnd().split("\n").at(-1)).toMatch(/"step": ?"collected"/);
});
