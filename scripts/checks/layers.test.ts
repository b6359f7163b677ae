import { expect, test } from "vitest";
import { findImports, packageOf } from "./imports.ts";
import { findProblems } from "./layers.ts";
import type { Manifest } from "./workspaces.ts";

const protocol: Manifest = {
  name: "@petak/protocol",
  exports: { ".": "./src/index.ts", "./grpc": "./src/grpc.ts", "./testing/vectors": "./src/testing/vectors.ts" },
};
const allocator: Manifest = { name: "@petak/allocator", exports: { ".": "./src/index.ts" } };
const gateway: Manifest = {
  name: "@petak/gateway",
  exports: { ".": "./src/index.ts" },
  dependencies: { "@petak/protocol": "0.1.0", pino: "10.4.0" },
};
const testkit: Manifest = { name: "@petak/testkit", exports: { ".": "./src/index.ts" } };
const manifests = new Map([protocol, allocator, gateway, testkit].map((manifest) => [manifest.name, manifest]));

function problems(source: string, owner: Manifest = gateway, path = "src/server/start.ts"): string[] {
  return findProblems({ path, source }, owner, manifests);
}

test("imports of every form are found", () => {
  const source = `
import "node:fs";
import type { A } from "./a.ts";
import {
  b,
  c,
} from "@petak/protocol/grpc";
export { d } from "../d.ts";
export type { E } from "e";
const f = await import("f");
const text = "import nothing from here";
`;
  expect(findImports(source)).toEqual(["node:fs", "./a.ts", "@petak/protocol/grpc", "../d.ts", "e", "f"]);
});

test("an import belongs to its package", () => {
  expect(["@petak/protocol/grpc", "ioredis", "ioredis/built/x.js", "node:fs", "./a.ts"].map(packageOf)).toEqual([
    "@petak/protocol",
    "ioredis",
    "ioredis",
    undefined,
    undefined,
  ]);
});

test("declared and exported modules of lower layers may be imported", () => {
  expect(problems(`import { a } from "@petak/protocol";\nimport { b } from "@petak/protocol/grpc";\nimport pino from "pino";`)).toEqual([]);
});

test("modules of upper layers may not be imported", () => {
  expect(problems(`import { a } from "@petak/gateway";`, protocol)).toEqual([
    "imports @petak/gateway, which lies above or beside @petak/protocol (see scripts/checks/layer-table.ts)",
  ]);
});

test("the testkit may be imported by tests only", () => {
  const source = `import { useRedis } from "@petak/testkit";`;
  expect(problems(source)).toHaveLength(1);
  expect(problems(source, gateway, "src/server/start.test.ts")).toEqual([]);
  expect(problems(source, gateway, "src/server/testing/start-test-gateway.ts")).toEqual([]);
});

test("shared test code may be imported by tests only", () => {
  const source = `import { a } from "./testing/start-test-gateway.ts";`;
  expect(problems(source)).toEqual(["imports ./testing/start-test-gateway.ts, which is for tests only"]);
  expect(problems(source, gateway, "src/server/start.test.ts")).toEqual([]);
  const fromAnother = `import { a } from "@petak/protocol/testing/vectors";`;
  expect(problems(fromAnother)).toEqual(["imports @petak/protocol/testing/vectors, which is for tests only"]);
  expect(problems(fromAnother, gateway, "src/server/start.test.ts")).toEqual([]);
});

test("only exported modules of a package may be imported", () => {
  const source = `import { a } from "@petak/protocol/src/ids/ids.ts";`;
  const expected = ["imports @petak/protocol/src/ids/ids.ts, which @petak/protocol does not export"];
  expect(problems(source)).toEqual(expected);
  expect(problems(source, gateway, "src/server/start.test.ts")).toEqual(expected);
});

test("a relative import stays within its package", () => {
  expect(problems(`import { a } from "../../../allocator/src/keys.ts";`)).toHaveLength(1);
  expect(problems(`import { a } from "../limits.ts";`)).toEqual([]);
});

test("imported packages are declared, so that an image without development dependencies has them", () => {
  expect(problems(`import { Redis } from "ioredis";`)).toEqual(["imports ioredis, which @petak/gateway does not list in its dependencies"]);
  expect(problems(`import { a } from "@petak/allocator";`)).toEqual([
    "imports @petak/allocator, which @petak/gateway does not list in its dependencies",
  ]);
});
