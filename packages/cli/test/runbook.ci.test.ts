import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

const root = join(import.meta.dirname, "../../..");
const runbook = await readFile(join(root, "docs/runbook.md"), "utf8");
const shell = [...runbook.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) => text).join("");

test("petak has each command and option that the runbook tells to run", async () => {
  const commands = new Set([...shell.matchAll(/npx petak (?:--key \S+ )?([^#&;\n]+)/g)].map(([, command = ""]) => command.trim()));
  expect(commands.size).toBeGreaterThan(5);
  for (const command of commands) {
    const words = command.split(" ");
    const afterNames = words.findIndex((word) => !/^[a-z]/.test(word));
    const subcommands = afterNames === -1 ? words : words.slice(0, afterNames);
    const flags = words.filter((word) => word.startsWith("--"));
    const { exitCode, stdout } = await runPetak([...subcommands, "--help"]);
    expect([command, exitCode, stdout]).toEqual([command, 0, expect.stringContaining(`petak ${subcommands.join(" ")}`)]);
    for (const flag of flags) expect([command, stdout]).toEqual([command, expect.stringContaining(flag)]);
  }
});

test("a gateway logs each sentence that the runbook looks for", async () => {
  const sentences = new Set<string>();
  for (const [, pattern = ""] of shell.matchAll(/grep (?:-E )?'([^']+)' \$LOG/g)) {
    // Members of the line, e.g. its level, are not sentences.
    for (const one of pattern.split("|")) if (/^[A-Za-z]/.test(one)) sentences.add(one);
  }
  expect(sentences.size).toBeGreaterThan(5);
  let source = "";
  for await (const file of glob("packages/{gateway,cli,redis}/src/**/*.ts", { cwd: root }))
    source += await readFile(join(root, file), "utf8");
  for (const sentence of sentences) expect([sentence, source.includes(sentence)]).toEqual([sentence, true]);
});
