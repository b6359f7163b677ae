import { findRedisServer } from "@petak/redis/server";
import { testLength } from "@petak/testkit/test-length";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { ciTests, testsAt } from "./scripts/checks/test-files.ts";
import { listWorkspaces } from "./scripts/checks/workspaces.ts";
import { LongestFirst } from "./scripts/longest-first.ts";
import shared from "./vitest.shared.ts";

const length = testLength();

/** Tests that run once more: those of `npm test`, and those that `npm run test:ci` has besides. */
interface Again {
  short: string[];
  ci: string[];
}

/** The tests that must come out the same whatever keeps the records. In `npm test` there is one for each thing in which servers and clusters differ. */
const overRecords: Again = {
  short: ["{allocator,records}/src/**/{nearest,reserve,hard-holds,event-stream,delivery-store,region-archive}.test.ts"],
  ci: [
    "allocator/src/{cache,h3-index,search}/**/*.test.ts",
    "records/src/{audit,bundles,capacity,deliveries,events,feeds,listening,places,queue,reservations,sites}/**/*.test.ts",
  ],
};

/** The tests of what plain calls are answered like, which must not depend on the path they take. */
const overStockAdapter: Again = {
  short: ["src/transport/{limits,standard-services/*}.test.ts"],
  ci: ["src/transport/{*,http/*,listener/*,plain-http/*,stock-adapter/*,unary-fast-path/*}.test.ts"],
};

/** The patterns of a run of this length, of which the one for `ci` has nothing that `npm test` has run. */
function patterns({ short, ci }: Again): { include: string[]; exclude: string[] } {
  return length === "ci" ? { include: ci, exclude: short } : { include: short, exclude: [] };
}

/** Tests of one folder. */
interface FolderTests {
  /** The name of the workspace. */
  name: string;
  dir: string;
  /** Patterns within the folder. */
  include: readonly string[];
}

/** The tests that a run of this length has, besides those that run once more. */
function tests(): FolderTests[] {
  const ofWorkspaces = listWorkspaces().map(({ dir, manifest }) => ({ name: manifest.name, dir, include: testsAt(length, dir) }));
  const hasScripts = length === "short" || length === "quick";
  return hasScripts ? [...ofWorkspaces, { name: "scripts", dir: "scripts", include: ["**/*.test.ts"] }] : ofWorkspaces;
}

/**
 * One project, because vitest starts processes for each, and each process reads all code anew. With `--project` on the command line there is one for each
 * workspace, so that one can be chosen.
 */
function ownProjects(): TestProjectInlineConfiguration[] {
  // A fault needs the machine for itself: `npm run test:faults`.
  const faults = length === "long" && process.env.PETAK_FAULTS_REPORT === undefined ? ["**/src/**/faults/**"] : [];
  const exclude = [...faults, ...(length === "short" ? ciTests : [])];
  const project = (name: string, root: string, include: string[]) => ({ test: { ...shared.test, name, root, include, exclude } });
  if (process.argv.some((argument) => argument.startsWith("--project"))) {
    return tests().flatMap(({ name, dir, include }) => (include.length === 0 ? [] : [project(name, dir, [...include])]));
  }
  return [
    project(
      "all",
      ".",
      tests().flatMap(({ dir, include }) => include.map((pattern) => `${dir}/${pattern}`)),
    ),
  ];
}

/** The tests over the records once more, with other settings. Tests that make clusters of their own run once. */
function overRecordsAgain(over: string, settings: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration {
  const { include, exclude } = patterns(overRecords);
  const test = { ...shared.test, name: `records, ${over}`, root: "packages", include, exclude: [...exclude, "**/*-cluster.test.ts"] };
  return { test: { ...test, ...settings } };
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
        ...patterns(overStockAdapter),
        provide: { hasUnaryFastPath: false },
      },
    },
    ...(await otherServer()),
    overRecordsAgain("cluster", { globalSetup: "testkit/src/cluster-setup.ts", provide: { hasShortRounds: true } }),
  ];
}

/** All tests of the repository. Each workspace has a config of its own, so that its tests also run from within it. */
export default defineConfig(async () => ({
  test: {
    maxWorkers: shared.test?.maxWorkers ?? 2,
    sequence: { sequencer: LongestFirst },
    projects: [...ownProjects(), ...(length === "short" || length === "ci" ? await further() : [])],
  },
}));
