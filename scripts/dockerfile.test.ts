import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listWorkspaces } from "./checks/workspaces.ts";
import { repositoryDir } from "./setup/run.mjs";

const dockerfile = readFileSync(join(repositoryDir, "Dockerfile"), "utf8");

test("the image uses the Node version that package.json pins", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(repositoryDir, "package.json"), "utf8")) as {
    devDependencies: { node: string };
  };
  expect(dockerfile).toContain(`\nFROM node:${devDependencies.node}-`);
});

test("what the image copies is not kept from it by .dockerignore", () => {
  const wanted = readFileSync(join(repositoryDir, ".dockerignore"), "utf8").split("\n");
  const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources = ""]) => sources.split(" "));
  expect(copied).toEqual(expect.arrayContaining(["package.json", ".npmrc", "packages", "simulator", "examples", "bench/k6/package.json"]));
  // A folder that is wanted brings all that is in it.
  const brought = (path: string) =>
    wanted.some((line) => line === `!${path}` || (line.startsWith("!") && path.startsWith(`${line.slice(1)}/`)));
  expect(copied.filter((path) => !brought(path))).toEqual([]);
});

test("the image copies every workspace's manifest before it installs the dependencies", () => {
  for (const { dir } of listWorkspaces()) expect(dockerfile).toContain(`\nCOPY ${dir}/package.json ${dir}/\n`);
});

test("the image runs Node itself, and its health check asks the management listener", () => {
  expect(dockerfile).toMatch(/^CMD \["node", .*"packages\/cli\/src\/main\.ts", "gateway"\]$/m);
  expect(dockerfile).not.toMatch(/\bnpx\b/);
  expect(dockerfile).toMatch(/^ENV .*PETAK_MANAGEMENT=127\.0\.0\.1:\d+/m);
});
