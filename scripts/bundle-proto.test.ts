import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { repositoryDir, run } from "./setup/run.mjs";

test("the repository has every file that the schema imports, for those who compile it without a registry", () => {
  const folders = ["proto", "third_party/proto", "third_party/protobuf"].map((folder) => join(repositoryDir, folder));
  const sources = folders.flatMap((folder) => globSync("**/*.proto", { cwd: folder }).map((path) => join(folder, path)));
  const imported = new Set(
    sources.flatMap((path) => [...readFileSync(path, "utf8").matchAll(/^import "(.+)";$/gm)].map(([, name = ""]) => name)),
  );
  expect(imported.size).toBeGreaterThan(10);
  expect([...imported].filter((name) => !folders.some((folder) => existsSync(join(folder, name))))).toEqual([]);
});

test("a bundle is not made over files of somebody else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "petak-proto-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "google/api"), { recursive: true });
  writeFileSync(join(folder, "google/api/http.proto"), "mine");
  const { code, output } = await run(process.execPath, [join(repositoryDir, "scripts/bundle-proto.mjs"), "--out", folder]);
  expect([code, output]).toEqual([1, expect.stringContaining("Give --out a new or an empty folder.")]);
  expect(readFileSync(join(folder, "google/api/http.proto"), "utf8")).toBe("mine");
});
