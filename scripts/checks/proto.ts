import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../setup/run.mjs";
import type { Check, CheckResult } from "./check.ts";
import { runTools } from "./run-tool.ts";

/** What a commit's protocol is built from. */
const sources = ["proto", "third_party/proto", "buf.yaml"];

/** The schema: lint, format, and nothing broken for those who speak an earlier form of it. */
export const proto: Check = {
  name: "proto",
  run: async () => {
    const style = await runTools([
      ["buf", "lint"],
      ["buf", "format", "proto", "--diff", "--exit-code"],
    ]);
    if (!style.passed) return style;
    const breaking = await checkBreaking();
    return { ...breaking, output: `${style.output}${breaking.output}` };
  },
};

async function checkBreaking(): Promise<CheckResult> {
  const base = await findBase();
  if (base === undefined) return { passed: true, output: "", note: "no earlier commit here to compare with" };
  const { code: hasProto } = await run("git", ["cat-file", "-e", `${base.commit}:proto`]);
  if (hasProto !== 0) return { passed: true, output: "", note: `${base.name} has no protocol yet to compare with` };
  const directory = await mkdtemp(join(tmpdir(), "petak-proto-"));
  try {
    const archive = join(directory, "base.tar");
    const result = await runTools([
      ["git", "archive", "--format=tar", `--output=${archive}`, base.commit, ...sources],
      ["buf", "breaking", "--against", archive],
    ]);
    return { ...result, note: `compared with ${base.name}` };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * The commit whose protocol must not be broken: main as published; on main itself the last commit, if the protocol has been edited since, else
 * the one before. Undefined where none of them is here: the first commit, a shallow clone, no repository at all.
 */
async function findBase(): Promise<{ commit: string; name: string } | undefined> {
  const head = await resolve("HEAD");
  const published = await resolve("origin/main");
  if (published !== undefined && published !== head) return { commit: published, name: "origin/main" };
  const { code: edited } = await run("git", ["diff", "--quiet", "HEAD", "--", ...sources]);
  const name = edited === 1 ? "HEAD" : "HEAD~1";
  const commit = await resolve(name);
  return commit === undefined ? undefined : { commit, name: `${name} (${commit.slice(0, 10)})` };
}

async function resolve(revision: string): Promise<string | undefined> {
  const { code, output } = await run("git", ["rev-parse", "--verify", "--quiet", `${revision}^{commit}`]);
  return code === 0 ? output.trim() : undefined;
}
