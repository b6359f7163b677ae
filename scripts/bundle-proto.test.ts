import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

test("the repository has every file that the schema imports, for those who compile it without a registry", () => {
  const folders = ["proto", "third_party/proto", "third_party/protobuf"].map((folder) => join(repositoryDir, folder));
  const sources = folders.flatMap((folder) => globSync("**/*.proto", { cwd: folder }).map((path) => join(folder, path)));
  const imported = new Set(
    sources.flatMap((path) => [...readFileSync(path, "utf8").matchAll(/^import "(.+)";$/gm)].map(([, name = ""]) => name)),
  );
  expect(imported.size).toBeGreaterThan(10);
  expect([...imported].filter((name) => !folders.some((folder) => existsSync(join(folder, name))))).toEqual([]);
});
