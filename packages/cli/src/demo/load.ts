import { createHash } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { UpsertOutcome } from "@petak/protocol";
import { batchesOf, forEachConcurrently } from "../batches.ts";
import { namedUuid } from "../ids/named-uuid.ts";
import type { DemoNetwork, SiteInit } from "./network.ts";

/** How far the loading has come. */
export interface DemoLoadProgress {
  /** Sites that the gateway has. */
  readonly done: number;
  /** Sites in all. */
  readonly total: number;
}

/** What loading needs. */
export interface LoadDemoNetworkOptions {
  /** A client that signs with a test key of the operator. Called once for each operator that has sites; the caller closes the clients. */
  clientFor(operatorKey: string): Pick<PetakClient, "directory"> | Promise<Pick<PetakClient, "directory">>;
  network: DemoNetwork;
  /** Called after every batch, and once at the start. */
  onProgress?: (progress: DemoLoadProgress) => void;
  /** How many batches are under way at once. Default 4: it keeps a gateway on one core busy and no deadline in danger. */
  parallel?: number;
  /** Stops before the next batch; what is loaded stays, and the next start goes on with it. */
  signal?: AbortSignal;
}

/** What became of the sites. */
export interface DemoLoadResult {
  created: number;
  updated: number;
  unchanged: number;
}

const batchSize = 100;

/**
 * Brings the demonstration network into a gateway. It can be cut short and repeated: sites go by their references, and a batch's
 * request id comes from its content, so the gateway finishes what was begun and never does it twice.
 *
 * @throws ConnectError where the gateway refuses a batch, and the signal's reason where it was aborted. Batches before it stay.
 */
export async function loadDemoNetwork(options: LoadDemoNetworkOptions): Promise<DemoLoadResult> {
  const { clientFor, network, onProgress, parallel = 4, signal } = options;
  const result: DemoLoadResult = { created: 0, updated: 0, unchanged: 0 };
  let done = 0;
  onProgress?.({ done, total: network.sites });
  for (const [operatorKey, sites] of network.sitesByOperator) {
    if (sites.length === 0) continue;
    const { directory } = await clientFor(operatorKey);
    await forEachConcurrently(batchesOf(sites, batchSize), parallel, async (batch) => {
      signal?.throwIfAborted();
      const { results } = await directory.upsertSites({ requestId: requestIdOf(operatorKey, batch), sites: batch });
      for (const { outcome } of results) {
        if (outcome === UpsertOutcome.CREATED) result.created += 1;
        else if (outcome === UpsertOutcome.UPDATED) result.updated += 1;
        else result.unchanged += 1;
      }
      done += batch.length;
      onProgress?.({ done, total: network.sites });
    });
  }
  return result;
}

function requestIdOf(operatorKey: string, batch: readonly SiteInit[]): string {
  return namedUuid("demo", operatorKey, createHash("sha256").update(JSON.stringify(batch)).digest("hex"));
}
