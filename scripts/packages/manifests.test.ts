import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { repositoryDir } from "../setup/run.mjs";
import { packedManifest, readManifest, type SourceManifest, sourcesOf, tarballsIn } from "./manifests.ts";
import { publicPackages } from "./public-packages.ts";

const source: SourceManifest = {
  name: "@petak/one",
  version: "0.1.0",
  description: "One",
  license: "Apache-2.0",
  type: "module",
  exports: { ".": "./src/index.ts", "./node": "./src/node.ts", "./testing": "./src/testing/index.ts" },
  imports: { "#platform/*": { node: "./src/platform/node/*.ts", default: "./src/platform/web/*.ts" } },
  dependencies: { jose: "6.2.18", lit: "3.3.3" },
};
const wanted = { dir: "packages/one", doors: [".", "./node"] };

describe("the manifest of a package", () => {
  it("has compiled files for its public entry points and its own imports, and the dependencies that they import", () => {
    expect(packedManifest(wanted, source, new Set(["jose"]))).toMatchObject({
      exports: {
        ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./node": { types: "./dist/node.d.ts", default: "./dist/node.js" },
      },
      imports: { "#platform/*": { node: "./dist/platform/node/*.js", default: "./dist/platform/web/*.js" } },
      dependencies: { jose: "6.2.18" },
      files: ["dist", "NOTICE"],
    });
    expect(Object.keys((packedManifest(wanted, source, new Set()) as { exports: object }).exports)).toEqual([".", "./node"]);
  });

  it("is not made of a dependency that is not declared, or an entry point that is not there", () => {
    expect(() => packedManifest(wanted, source, new Set(["idb"]))).toThrow("@petak/one imports idb, which its dependencies do not list.");
    expect(() => sourcesOf({ ...wanted, doors: ["./gone"] }, source)).toThrow("@petak/one does not export ./gone");
  });
});

test.each(publicPackages)("$dir can be installed with other public packages alone, and says how", (one) => {
  const manifest = readManifest(one.dir);
  for (const path of sourcesOf(one, manifest).filter((path) => !path.includes("*"))) {
    expect(existsSync(join(repositoryDir, one.dir, path)), path).toBe(true);
  }
  expect(existsSync(join(repositoryDir, one.dir, "README.md"))).toBe(true);
  expect(manifest.description).toMatch(/./);
  const names = publicPackages.map(({ dir }) => readManifest(dir).name);
  const own = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith("@petak/"));
  // What a bundle is made of is inside it.
  if (one.isBundled !== true) expect(own.filter((name) => !names.includes(name))).toEqual([]);
});

test("tarballs that are replaced are those of the packages, and not what somebody else has beside them", () => {
  const folder = mkdtempSync(join(tmpdir(), "petak-packages-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const names = ["petak-client-0.1.0.tgz", "petak-client-12.0.0-rc.1.tgz", "petak-backup.tgz", "petak-client-data.tgz", "petak-client.tgz"];
  for (const name of names) writeFileSync(join(folder, name), "");
  expect(tarballsIn(folder, ["@petak/client", "@petak/protocol"]).toSorted()).toEqual(names.slice(0, 2).map((name) => join(folder, name)));
});
