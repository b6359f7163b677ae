import { findRedisServer } from "@petak/allocator/redis-server";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";
import shared from "./vitest.shared.ts";

/** The tests that must come out the same whatever keeps the records. */
const overRecords = ["src/{archive,capacity,deliveries,events,logs,queue,reservations,search,sites}/**/*.test.ts"];

/** Tests that make clusters of their own. */
const ownCluster = "src/**/*-cluster.test.ts";

/** A part of the rounds that the long tests run over the default server. */
const roundsShare = 0.05;

/** The allocator's tests once more, over the other of the two servers. */
async function otherServer(): Promise<TestProjectInlineConfiguration[]> {
  try {
    const { flavour: first } = await findRedisServer();
    const { flavour } = await findRedisServer({ flavour: first === "redis" ? "valkey" : "redis" });
    return [
      {
        test: {
          ...shared.test,
          name: `allocator, ${flavour}`,
          root: "packages/allocator",
          include: overRecords,
          exclude: [ownCluster],
          provide: { redisFlavour: flavour, roundsShare },
        },
      },
    ];
  } catch (error) {
    process.stderr.write(`The allocator is not tested over a second server. ${(error as Error).message}\n`);
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
      {
        test: {
          ...shared.test,
          name: "allocator, cluster",
          root: "packages/allocator",
          include: overRecords,
          exclude: [ownCluster],
          globalSetup: "../testkit/src/cluster-setup.ts",
          provide: { roundsShare },
        },
      },
      { extends: "./vitest.shared.ts", test: { name: "scripts", root: "scripts", include: ["**/*.test.ts"] } },
    ],
  },
}));
