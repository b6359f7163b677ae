import { findRedisServer } from "@petak/redis/server";
import { testLength } from "@petak/testkit/test-length";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { ciTests, testsAt } from "./scripts/checks/test-files.ts";
import { listWorkspaces } from "./scripts/checks/workspaces.ts";
import { LongestFirst } from "./scripts/longest-first.ts";
import shared from "./vitest.shared.ts";

const length = testLength();

/**
 * The tests that must come out the same whatever keeps the records: all of them in `npm run test:ci`, and in `npm test` one for each thing in which
 * servers and clusters differ.
 */
const overRecords =
  length === "ci"
    ? [
        "allocator/src/{cache,h3-index,search}/**/*.test.ts",
        "records/src/{bundles,capacity,deliveries,events,feeds,listening,places,queue,reservations,sites}/**/*.test.ts",
        "records/src/archive/region-archive.test.ts",
      ]
    : ["{allocator,records}/src/**/{nearest,reserve,hard-holds,event-stream,delivery-store,region-archive}.test.ts"];

/** The tests of what plain calls are answered like, which must not depend on the path they take. */
const overStockAdapter = (
  length === "ci"
    ? ["*", "http/*", "listener/*", "plain-http/*", "standard-services/*", "stock-adapter/*", "unary-fast-path/*"]
    : ["limits", "standard-services/*"]
).map((name) => `src/transport/${name}.test.ts`);

/** The tests of each workspace that a run of this length has. */
function workspaces(): TestProjectInlineConfiguration[] {
  return listWorkspaces().flatMap(({ dir, manifest }) => {
    const include = [...testsAt(length, dir)];
    // A fault needs the machine for itself: `npm run test:faults`.
    const faults = length === "long" && process.env.PETAK_FAULTS_REPORT === undefined ? ["src/**/faults/**"] : [];
    const exclude = [...faults, ...(length === "short" ? ciTests : [])];
    return include.length === 0 ? [] : [{ test: { ...shared.test, name: manifest.name, root: dir, include, exclude } }];
  });
}

/** The tests over the records once more, with other settings. Tests that make clusters of their own run once. */
function overRecordsAgain(over: string, settings: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration {
  const exclude = ["**/*-cluster.test.ts"];
  return { test: { ...shared.test, name: `records, ${over}`, root: "packages", include: overRecords, exclude, ...settings } };
}

/** The tests over the records once more, over the other of the two servers. */
async function otherServer(): Promise<TestProjectInlineConfiguration[]> {
  try {
    const { flavour: first } = await findRedisServer();
    const { flavour } = await findRedisServer({ flavour: first === "redis" ? "valkey" : "redis" });
    return [overRecordsAgain(flavour, { provide: { redisFlavour: flavour, hasShortRounds: true } })];
  } catch (error) {
    process.stderr.write(`The records are not tested over a second server. ${(error as Error).message}\n`);
    return [];
  }
}

/** Tests once more, over what is not the default. */
async function further(): Promise<TestProjectInlineConfiguration[]> {
  return [
    {
      test: {
        ...shared.test,
        name: "gateway, stock adapter",
        root: "packages/gateway",
        include: overStockAdapter,
        provide: { hasUnaryFastPath: false },
      },
    },
    ...(await otherServer()),
    overRecordsAgain("cluster", { globalSetup: "testkit/src/cluster-setup.ts", provide: { hasShortRounds: true } }),
  ];
}

const scripts: TestProjectInlineConfiguration = { test: { ...shared.test, name: "scripts", root: "scripts", include: ["**/*.test.ts"] } };

/** All tests of the repository. Each workspace has a config of its own, so that its tests also run from within it. */
export default defineConfig(async () => ({
  test: {
    maxWorkers: shared.test?.maxWorkers ?? 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      ...workspaces(),
      ...(length === "short" || length === "ci" ? await further() : []),
      ...(length === "short" || length === "quick" ? [scripts] : []),
    ],
  },
}));
