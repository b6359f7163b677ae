import type { TestProject } from "vitest/node";
import { startTestCluster } from "./test-cluster.ts";

/** `globalSetup` of a vitest project: starts a cluster of three masters for all its tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startTestCluster();
  project.provide("redisCluster", cluster.address);
  return cluster.stop;
}
