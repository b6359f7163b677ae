import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { verifyWebhook } from "@petak/examples/verify-webhook";
import { createTempDir, freePort, processEnv, type TempDir } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { readCodeBlocks, withoutIndentation } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { createReader, makeClone, type Reader } from "./shown-commands.ts";

const pagePath = join(repositoryDir, "docs/webhooks.md");
const exampleDir = join(repositoryDir, "examples/webhook-typescript");
const shownPort = "8421";

/** A line printed by the receiver. */
interface Line {
  listening?: number;
  refused?: string;
  id?: string;
  type?: string;
}

/** Starts the receiver as the page says, and collects its output. */
function startReceiver(command: string, port: number): { lines: Line[]; process: ChildProcessWithoutNullStreams } {
  const [, args = ""] = /^npx node (.*)$/m.exec(command) ?? [];
  const process_ = spawn(process.execPath, [...args.split(" "), "--port", String(port)], {
    cwd: repositoryDir,
    env: processEnv(),
  });
  onTestFinished(() => void process_.kill());
  const lines: Line[] = [];
  createInterface({ input: process_.stdout }).on("line", (line) => lines.push(JSON.parse(line) as Line));
  return { lines, process: process_ };
}

describe("the page on webhooks", () => {
  let folder: TempDir;
  let started: StartedPetak;
  let reader: Reader;
  let commands: string[];

  beforeAll(async () => {
    folder = await createTempDir();
    const blocks = await readCodeBlocks(pagePath);
    commands = blocks.filter(({ language }) => language === "sh").map(({ code }) => code);
    const [, flags = ""] = /^npm start -- (.*)$/.exec(commands[0] ?? "") ?? [];
    const args = ["start", "--port", "0", "--demo-sites", "300", ...flags.split(" ")];
    started = await startPetak(folder.path, args, /Stop with Ctrl-C/);
    const url = /running at (\S+)/.exec(started.said())?.[1] ?? "";
    await makeClone(folder.path);
    reader = await createReader(folder.path, url, [started.said()]);
  });
  afterAll(async () => {
    await started.interrupt();
    await folder.remove();
  });

  it("shows commands that do what the page says, in order", async () => {
    const port = await freePort();
    const said: string[] = [];
    let lines: Line[] = [];
    for (const command of commands.slice(1)) {
      if (command.includes("receiver.ts")) {
        const [publicKey = ""] = /whpk_\S+/.exec(said[0] ?? "") ?? [];
        ({ lines } = startReceiver(command.replace("whpk_…", publicKey), port));
        await expect.poll(() => lines[0]?.listening).toBe(port);
        continue;
      }
      const { exitCode, stdout, stderr } = await reader.run(command.replace(shownPort, String(port)));
      expect([command, exitCode, stderr]).toEqual([command, 0, ""]);
      said.push(stdout);
    }
    const [created, tested, , shown] = said;
    expect(created).toMatch(/^state +active$/m);
    expect(tested).toMatch(/It is verified\.$/m);
    expect(shown).toMatch(/^last success +\d{4}-/m);
    const types = () => lines.slice(1).map(({ type }) => type);
    await expect.poll(types).toContain("petak.v1.PARCEL_COLLECTED");
    expect(types()[0]).toBe("petak.v1.WEBHOOK_TEST");
    expect(lines.some(({ refused }) => refused !== undefined)).toBe(false);
  });

  it("shows only TypeScript that is in the example", async () => {
    const sources = await Promise.all(["receiver.ts", "verify-webhook.ts"].map((file) => readFile(join(exampleDir, file), "utf8")));
    const blocks = (await readCodeBlocks(pagePath)).filter(({ language }) => language === "ts");
    expect(blocks.length).toBeGreaterThan(0);
    for (const { code, line } of blocks) {
      const isFound = sources.some((source) => withoutIndentation(source).includes(withoutIndentation(code)));
      expect([line, isFound]).toEqual([line, true]);
    }
  });
});

describe("the example's verification", () => {
  it("accepts and rejects the published vectors at their time, and rejects them later", async () => {
    const text = await readFile(join(repositoryDir, "docs/webhook-vectors.json"), "utf8");
    const { cases } = JSON.parse(text) as {
      cases: { name: string; id: string; timestamp: string; body: string; signature: string; publicKeys: string[]; isValid: boolean }[];
    };
    onTestFinished(() => void vi.useRealTimers());
    const verdicts = (atS: number) =>
      cases.map(({ name, id, timestamp, body, signature, publicKeys }) => {
        vi.useFakeTimers({ toFake: ["Date"], now: atS * 1000 });
        const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
        try {
          return [name, verifyWebhook(publicKeys, headers, body) !== undefined];
        } catch {
          return [name, false];
        }
      });
    const atS = Number(cases[0]?.timestamp);
    expect(verdicts(atS + 290)).toEqual(cases.map(({ name, isValid }) => [name, isValid]));
    expect(verdicts(atS + 302).some(([, isValid]) => isValid)).toBe(false);
  });
});
