import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

/** A path in the repository, of a file or a folder. Those with placeholders or wildcards are patterns, and end where these begin. */
const pathPattern = /(?<![\w/])(?:packages|simulator|bench|e2e|scripts|examples|proto|third_party)\/[\w./-]*[\w/](?![\w*<{])/g;

test("every file and folder named in the documentation exists", async () => {
  const missing: string[] = [];
  // Decisions and the change log say how it was.
  for await (const page of glob(["*.md", "docs/*.md", "packages/*/src/**/README.md"], { cwd: repositoryDir, exclude: ["CHANGELOG.md"] })) {
    const text = readFileSync(join(repositoryDir, page), "utf8");
    for (const [path] of text.matchAll(pathPattern)) if (!existsSync(join(repositoryDir, path))) missing.push(`${page}: ${path}`);
  }
  expect(missing).toEqual([]);
});
