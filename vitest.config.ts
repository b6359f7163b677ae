import { basename } from "node:path";
import { findRedisServer } from "@petak/redis/server";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";
import shared from "./vitest.shared.ts";

/** The tests that must come out the same whatever keeps the records. */
const overRecords = {
  "packages/allocator": ["src/{cache,h3-index,search}/**/*.test.ts"],
  "packages/records": ["src/**/*.test.ts"],
};

/** Tests that make clusters of their own. */
const ownCluster = "src/**/*-cluster.test.ts";

/** A part of the rounds that the long tests run over the default server. */
const roundsShare = 0.05;

/** The tests over the records once more, with other settings. */
function overRecordsAgain(over: string, settings: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration[] {
  return Object.entries(overRecords).map(([root, include]) => ({
    test: { ...shared.test, name: `${basename(root)}, ${over}`, root, include, exclude: [ownCluster], ...settings },
  }));
}

/** The tests over the records once more, over the other of the two servers. */
async function otherServer(): Promise<TestProjectInlineConfiguration[]> {
  try {
    const { flavour: first } = await findRedisServer();
    const { flavour } = await findRedisServer({ flavour: first === "redis" ? "valkey" : "redis" });
    return overRecordsAgain(flavour, { provide: { redisFlavour: flavour, roundsShare } });
  } catch (error) {
    process.stderr.write(`The records are not tested over a second server. ${(error as Error).message}\n`);
    return [];
  }
}

/** All tests of the repository. Each workspace has a config of its own, so that its tests also run from within it. */
export default defineConfig(async () => ({
  test: {
    maxWorkers: shared.test?.maxWorkers ?? 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      "packages/*",
      "e2e",
      "bench",
      // What plain calls are answered like must not depend on the path they go.
      {
        test: {
          ...shared.test,
          name: "gateway, adapter path",
          root: "packages/gateway",
          include: ["src/server/*.test.ts", "src/rpc/*.test.ts"],
          provide: { hasLeanPath: false },
        },
      },
      ...(await otherServer()),
      ...overRecordsAgain("cluster", { globalSetup: "../testkit/src/cluster-setup.ts", provide: { roundsShare } }),
      { extends: "./vitest.shared.ts", test: { name: "scripts", root: "scripts", include: ["**/*.test.ts"] } },
    ],
  },
}));
