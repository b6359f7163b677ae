import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTempDir, type TempDir } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedPetak, startPetak } from "../testing/petak-process.ts";
import { type CodeBlock, readCodeBlocks, withoutIndentation } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { createReader, type Reader } from "./shown-commands.ts";

const readmePath = join(repositoryDir, "README.md");
const guidePath = join(repositoryDir, "docs/guides/courier.md");
let folder: TempDir;
let started: StartedPetak;
let reader: Reader;

beforeAll(async () => {
  folder = await createTempDir();
  started = await startPetak(folder.path, ["start", "--port", "0", "--demo-sites", "300"], /Stop with Ctrl-C/);
  const url = /running at (\S+)/.exec(started.said())?.[1] ?? "";
  reader = await createReader(folder.path, url, [started.said()]);
});
afterAll(async () => {
  await started.interrupt();
  await folder.remove();
});

function commandsWith(word: string, blocks: readonly CodeBlock[]): string[] {
  return blocks.filter(({ language, code }) => language === "sh" && code.includes(word)).map(({ code }) => code);
}

/** The curl command that `petak start` prints, without its margin. */
function printedCurl(): string {
  const [command = ""] = /^ {2}curl .*\\\n.*\\\n.*$/m.exec(started.said()) ?? [];
  return command.replaceAll(/^ {2}/gm, "");
}

describe("the curl command", () => {
  it("finds five places with room, as petak start prints it", async () => {
    const { exitCode, stdout } = await reader.run(printedCurl());
    expect(exitCode).toBe(0);
    const { options } = JSON.parse(stdout) as { options: { site: { name: string }; freeToPromise: number; distanceM: number }[] };
    expect(options.length).toBe(5);
    expect(options.every(({ site, freeToPromise }) => site.name !== "" && freeToPromise > 0)).toBe(true);
    expect(options.map(({ distanceM }) => distanceM)).toEqual(options.map(({ distanceM }) => distanceM).sort((a, b) => a - b));
  });

  it("is the same in the README, except for the port and the key", async () => {
    const [shown, ...others] = commandsWith("curl", await readCodeBlocks(readmePath));
    expect(others).toEqual([]);
    const printed = printedCurl()
      .replace(/http:\/\/127\.0\.0\.1:\d+/, "http://127.0.0.1:8420")
      .replace(/pk_test_[0-9a-z]+/, "pk_test_…");
    expect(shown).toBe(printed);
    const answers = [await reader.run(printedCurl()), await reader.run(shown ?? "")];
    const found = answers.map(({ stdout }) => (JSON.parse(stdout) as { options: { site: object }[] }).options.map(({ site }) => site));
    expect(found[1]).toEqual(found[0]);
  });
});

describe("the courier's guide", () => {
  it("shows commands that do what the guide says, in order", async ({ annotate }) => {
    const said: string[] = [];
    for (const { code, line } of (await readCodeBlocks(guidePath)).filter(({ language }) => language === "sh")) {
      if (code.startsWith("python3") && !reader.hasPython) {
        await annotate(`line ${line} was skipped: no Python here has the modules of the example`);
        continue;
      }
      const { exitCode, stdout, stderr } = await reader.run(code);
      expect(exitCode, `line ${line} said: ${stderr}`).toBe(0);
      if (!code.startsWith("curl")) expect(stderr, `line ${line}`).toBe("");
      // "Send it again: the answer is the same."
      if (code.includes("requestId")) expect((await reader.run(code)).stdout).toBe(stdout);
      said.push(stdout);
    }
    const ended = said.filter((text) => text.trimEnd().split("\n").at(-1)?.includes('"collected"'));
    expect(ended.length).toBe(reader.hasPython ? 2 : 1);
    const answers = said.filter((text) => text.startsWith("{") && !text.includes("\n")).map((text) => JSON.parse(text) as object);
    expect(answers.map((answer) => Object.keys(answer))).toEqual([
      ["options"],
      ["reservation", "site", "distanceM"],
      ["reservation"],
      ["code", "message", "details"],
    ]);
    expect(answers[1]).toMatchObject({ reservation: { state: "RESERVATION_STATE_HELD", partnerReference: "parcel-4711" } });
    expect(answers[2]).toMatchObject({ reservation: { state: "RESERVATION_STATE_CONFIRMED" } });
    expect(answers[3]).toMatchObject({ details: [{ debug: { reason: "INVALID_FIELD", domain: "petak.v1" } }, {}] });
  });

  it.each([
    ["ts", "courier-typescript"],
    ["python", "courier-python"],
  ])("shows only %s code that is in %s", async (language, name) => {
    const exampleDir = join(repositoryDir, "examples", name);
    const files = (await readdir(exampleDir)).filter((file) => /\.(ts|py)$/.test(file));
    const sources = await Promise.all(files.map(async (file) => withoutIndentation(await readFile(join(exampleDir, file), "utf8"))));
    const blocks = (await readCodeBlocks(guidePath)).filter((block) => block.language === language);
    expect(blocks.length).toBeGreaterThan(0);
    for (const { code, line } of blocks) {
      expect(
        sources.some((source) => source.includes(withoutIndentation(code))),
        `line ${line} of the guide`,
      ).toBe(true);
    }
  });
});
