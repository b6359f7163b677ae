import { createHash } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { UpsertOutcome } from "@petak/protocol";
import { batchesOf, forEachConcurrently } from "../batches.ts";
import { namedUuid } from "./named-uuid.ts";
import type { DemoNetwork, SiteInit } from "./network.ts";

/** Progress of loading. */
export interface DemoLoadProgress {
  /** Sites loaded so far. */
  readonly done: number;
  /** Sites in total. */
  readonly total: number;
}

export interface LoadDemoNetworkOptions {
  /** A client that signs with a test key of the operator. Called once for each operator that has sites; the caller closes the clients. */
  clientFor(operatorKey: string): Pick<PetakClient, "directory"> | Promise<Pick<PetakClient, "directory">>;
  network: DemoNetwork;
  /** Called after every batch, and once at the start. */
  onProgress?: (progress: DemoLoadProgress) => void;
  /** Concurrent batches. Default 4, which keeps a gateway on one core busy without risking timeouts. */
  parallel?: number;
  /** Stops before the next batch. Loaded sites stay, and the next start continues. */
  signal?: AbortSignal;
}

/** Counts of the loaded sites. */
export interface DemoLoadResult {
  created: number;
  updated: number;
  unchanged: number;
}

const batchSize = 100;

/**
 * Loads the demonstration network into a gateway. Can be interrupted and repeated: sites are identified by their references, and a batch's idempotency key is
 * derived from its content.
 *
 * @throws ConnectError if the gateway refuses a batch; the signal's reason if it is aborted. Earlier batches stay.
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
