import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryDir, run } from "../setup/run.mjs";
import type { Check, CheckResult } from "./check.ts";
import { runTools } from "./run-tool.ts";

/** Paths from which the protocol of a commit is built. */
const sources = ["proto", "third_party/proto", "buf.yaml"];

/**
 * The file that names the baseline of the breaking check. A commit that breaks the protocol on purpose changes it; later commits are
 * compared with those that have the same content.
 */
const baselineFile = "proto/baseline.txt";

/** Checks the schema: lint, format, and no breaking change. */
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
  if (base === undefined) return { passed: true, output: "", note: "no earlier commit with this baseline to compare with" };
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

interface Base {
  commit: string;
  name: string;
}

/**
 * The commit whose protocol must not be broken: the earlier one ({@link earlierCommit}) or, if the baseline was reset since then, the
 * commit that reset it. Undefined if there is none: at the first commit, in a shallow clone, without a repository, or before the reset is
 * committed.
 */
async function findBase(): Promise<Base | undefined> {
  const baseline = await readFile(join(repositoryDir, baselineFile), "utf8");
  const hasBaseline = async ({ commit }: Base) => (await run("git", ["show", `${commit}:${baselineFile}`])).output === baseline;
  const earlier = await earlierCommit();
  if (earlier === undefined || (await hasBaseline(earlier))) return earlier;
  const { output } = await run("git", ["log", "-1", "--format=%H", "--", baselineFile]);
  const commit = output.trim();
  const reset = { commit, name: `the reset of the baseline (${commit.slice(0, 10)})` };
  return commit !== "" && (await hasBaseline(reset)) ? reset : undefined;
}

/** The published main; on main itself the last commit if the protocol has been edited since, else the commit before. */
async function earlierCommit(): Promise<Base | undefined> {
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
