import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { createTempDir } from "@petak/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

/** The scripts' files, by shell. */
const files: Record<string, string> = {};

beforeAll(async () => {
  const directory = await createTempDir();
  for (const shell of ["bash", "zsh"]) {
    const { exitCode, stdout } = await runPetak(["completion", shell]);
    expect(exitCode).toBe(0);
    files[shell] = join(directory.path, `petak.${shell}`);
    await writeFile(files[shell], stdout);
  }
  return directory.remove;
});

/** What bash offers for the last of some words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _petak; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)("bash", [
    "--norc",
    "--noprofile",
    "-c",
    script,
    "bash",
    files.bash ?? "",
    "petak",
    ...words,
  ]);
  return stdout.split("\n").filter(Boolean);
}

describe("in bash", () => {
  test("petak is completed, and files where it has nothing to offer", async () => {
    const { stdout } = await promisify(execFile)("bash", [
      "--norc",
      "--noprofile",
      "-c",
      'source "$1"; complete -p petak',
      "bash",
      files.bash ?? "",
    ]);
    expect(stdout).toBe("complete -o default -F _petak petak\n");
  });

  test.each([
    ["commands", ["re"], ["reserve", "redirect", "resolve", "reservation", "reservations", "replay", "report"]],
    ["subcommands", ["sites", "re"], ["resume", "retire"]],
    ["subcommands of subcommands", ["sites", "terms", ""], ["default", "set"]],
    [
      "options, also those of every command",
      ["sites", "list", "--"],
      ["--since", "--country", "--operator", "--url", "--key", "--json", "--no-color", "--version"],
    ],
    ["options of the subcommand that is meant if none is named", ["events", "--f"], ["--follow", "--from"]],
    ["after options with values, which are no commands", ["--key", "keys", "--json", "bundle", "m"], ["make"]],
    ["nothing for a value", ["events", "list", "--since", "so"], []],
    ["nothing for an argument", ["confirm", "res"], []],
  ])("it offers %s", async (_, words, expected) => {
    expect((await offered(...words)).toSorted()).toEqual(expected.toSorted());
  });
});

const zsh = ["/bin/zsh", "/usr/bin/zsh", "/usr/local/bin/zsh"].find(existsSync);

/** Types at a real zsh on a terminal, in which `petak` prints its arguments. Gives all that the terminal shows. */
async function typed(line: string): Promise<string> {
  const setUp = `autoload -U compinit; compinit -u -D; petak() { print -r -- "called: $*" }; source ${files.zsh}`;
  const child = spawn("script", ["-qec", `${zsh} -f -i`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "dumb" },
  });
  child.stdin.end(`${setUp}\n${line}\nexit\n`);
  return await text(child.stdout);
}

describe.skipIf(zsh === undefined || !existsSync("/usr/bin/script"))("in zsh", () => {
  test.each([
    ["petak sites sh\t", "called: sites show"],
    ["petak --key keys bun\tma\t", "called: --key keys bundle make"],
    ["petak events correct --occ\t", "called: events correct --occurred-at"],
  ])("%j is completed", async (line, called) => {
    expect(await typed(line)).toContain(called);
  });
});

test("another shell is refused", async () => {
  const { exitCode, stderr } = await runPetak(["completion", "fish"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Write bash or zsh.")]);
});
