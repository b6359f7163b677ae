import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatedDir, generateInto, luaFieldsFile, protocolPage, vectorsDir, vendoredDir } from "../generate-into.ts";
import { repositoryDir } from "../setup/run.mjs";
import type { Check } from "./check.ts";

/** Checks that generated files are up to date, by generating them into a temporary directory and comparing. */
export const generated: Check = {
  name: "generated",
  run: async () => {
    const fresh = await mkdtemp(join(tmpdir(), "petak-generated-"));
    try {
      await generateInto(fresh);
      const differences = [
        // The same folder has protos of our own, which are not generated.
        ...(await compare(fresh, vendoredDir)).filter((line) => !line.startsWith("extra")),
        ...(await compare(fresh, generatedDir)),
        ...(await compare(fresh, vectorsDir)),
        ...(await Promise.all([luaFieldsFile, protocolPage].map((path) => compareFile(fresh, path)))).flat(),
      ];
      const advice = "Run npm run generate, and commit what it changes.\n";
      return { passed: differences.length === 0, output: differences.length === 0 ? "" : `${differences.join("\n")}\n${advice}` };
    } catch (error) {
      return { passed: false, output: `${error instanceof Error ? error.message : error}\n` };
    } finally {
      await rm(fresh, { recursive: true });
    }
  },
};

/** One line for each file of a folder that differs between the new tree and the repository. */
async function compare(fresh: string, folder: string): Promise<string[]> {
  const [wanted, present] = await Promise.all([readTree(join(fresh, folder)), readTree(join(repositoryDir, folder))]);
  const paths = [...new Set([...wanted.keys(), ...present.keys()])].sort();
  return paths.flatMap((path) => {
    const [now, before] = [wanted.get(path), present.get(path)];
    if (now === before) return [];
    const word = before === undefined ? "missing" : now === undefined ? "extra" : "outdated";
    return [`${word}: ${join(folder, path)}`];
  });
}

/** The same for one file of a folder that also has files written by hand. */
async function compareFile(fresh: string, path: string): Promise<string[]> {
  const [wanted, present] = await Promise.all(
    [fresh, repositoryDir].map((root) => readFile(join(root, path), "utf8").catch(() => undefined)),
  );
  if (wanted === present) return [];
  return [`${present === undefined ? "missing" : "outdated"}: ${path}`];
}

async function readTree(directory: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for await (const path of glob("**/*.{ts,proto,json}", { cwd: directory }))
    contents.set(path, await readFile(join(directory, path), "utf8"));
  return contents;
}
