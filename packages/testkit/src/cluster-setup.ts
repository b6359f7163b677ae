import type { TestProject } from "vitest/node";
import { startTestCluster } from "./test-cluster.ts";

/** For `globalSetup` of a project of vitest: gives its tests a cluster of three masters, one for all of them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster();
  project.provide("redisCluster", cluster.address);
  return cluster.stop;
}
