import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runPetak } from "@petak/cli/testing/run-petak";
import { describe, expect, it } from "vitest";
import { type CodeBlock, readCodeBlocks, withoutIndentation } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { useReaderOfStart } from "./reader-of-start.ts";

const readmePath = join(repositoryDir, "README.md");
const guidePath = join(repositoryDir, "docs/guides/courier.md");
const start = useReaderOfStart();

function commandsWith(word: string, blocks: readonly CodeBlock[]): string[] {
  return blocks.filter(({ language, code }) => language === "sh" && code.includes(word)).map(({ code }) => code);
}

/** The curl command that `petak start` prints, without its margin. */
function printedCurl(): string {
  const [command = ""] = /^ {2}curl .*\\\n.*\\\n.*$/m.exec(start.said()) ?? [];
  return command.replaceAll(/^ {2}/gm, "");
}

describe("the curl command", () => {
  it("finds five places with room, as petak start prints it", async () => {
    const { exitCode, stdout } = await start.reader.run(printedCurl());
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
    const answers = [await start.reader.run(printedCurl()), await start.reader.run(shown ?? "")];
    const found = answers.map(({ stdout }) => (JSON.parse(stdout) as { options: { site: object }[] }).options.map(({ site }) => site));
    expect(found[1]).toEqual(found[0]);
  });
});

describe("the courier's guide", () => {
  it("shows only commands of petak that exist, with options that they have", async () => {
    const shown = (await readCodeBlocks(guidePath)).flatMap(({ code }) => [...code.matchAll(/npx petak ([^|>)#\\\n]+)/g)]);
    expect(shown.length).toBeGreaterThan(10);
    for (const [, command = ""] of shown) {
      const words = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      // It need not succeed, and nothing answers at this address.
      const { stderr } = await runPetak(["--url", "http://127.0.0.1:9", ...words], { cwd: start.folder });
      expect(stderr, command).not.toMatch(/unknown (command|option)|too many arguments|missing required/i);
    }
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
