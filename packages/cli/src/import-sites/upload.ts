import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client/node";
import { fromConnectError, type Reason, UpsertOutcome, type UpsertSitesResponse } from "@petak/protocol";
import { batchesOf, forEachConcurrently } from "../batches.ts";
import type { CheckedSite } from "./build-site.ts";
import type { Refusal } from "./refusal.ts";

type Directory = Pick<PetakClient["directory"], "upsertSites" | "retireSites">;

/** What asking and writing need alike. */
export interface UploadOptions {
  directory: Directory;
  /** The sites, in the order of the file. */
  sites: AsyncIterable<CheckedSite>;
  /** Batches under way at once. Default 4: it keeps a gateway on one core busy and no deadline in danger. */
  parallel?: number;
  /** Called after every batch with the sites done so far. */
  onProgress?: (done: number) => void;
  /** Ends the work before the next batch. */
  signal: AbortSignal;
  /** Delays in ms before a batch that failed for a passing reason is sent again. Default 0.5, 1, 2 and 4 s: a gateway restarts in that time. */
  retryDelaysMs?: readonly number[];
}

const batchSize = 100;
const defaultRetryDelaysMs = [500, 1000, 2000, 4000];

/** Reasons that pass by themselves. */
const passingReasons: ReadonlySet<Reason> = new Set<Reason>([
  "CONFLICT",
  "DEADLINE_EXCEEDED",
  "OVERLOADED",
  "RATE_LIMITED",
  "SHUTTING_DOWN",
  "STORE_UNAVAILABLE",
]);

/** Reasons that lie in single sites of a batch. */
const siteReasons: ReadonlySet<Reason> = new Set<Reason>(["CAPACITY_IN_USE", "INVALID_FIELD", "SITE_REGION_CHANGED"]);

/** What the gateway would do. */
export interface ValidationResult {
  /** Sites that it refuses. */
  refusals: Refusal[];
  /** Sites that it has already. */
  existing: number;
}

/**
 * Asks the gateway whether it would take the sites, and changes nothing. Where it refuses a batch, the batch is halved until the sites
 * that it means are found.
 *
 * @throws what the client throws, where it is not about single sites.
 */
export async function validateSites(options: UploadOptions): Promise<ValidationResult> {
  const { directory, sites, parallel = 4, onProgress, signal } = options;
  const result: ValidationResult = { refusals: [], existing: 0 };
  let done = 0;

  async function ask(batch: readonly CheckedSite[]): Promise<void> {
    try {
      const { results } = await send(directory, batch, randomUUID(), true, options);
      result.existing += results.filter(({ siteId }) => siteId !== "").length;
    } catch (error) {
      const known = error instanceof ConnectError ? fromConnectError(error) : undefined;
      if (known === undefined || !siteReasons.has(known.reason)) throw error;
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) {
        const { row, line, site } = first;
        const message = `${known.message} [${known.reason}]`.replace(/^sites\[0\]\.?/, "");
        result.refusals.push({ kind: "refusal", row, line, reason: "gateway", message, reference: site.operatorSiteRef, name: site.name });
        return;
      }
      // Where the fields name sites, those are asked for alone and the others once more together.
      const named = new Set(
        known.fieldViolations
          .map(({ field }) => /^sites\[(\d+)\]/.exec(field)?.[1])
          .filter((index) => index !== undefined)
          .map(Number),
      );
      const half = Math.ceil(batch.length / 2);
      const parts =
        named.size > 0 && named.size < batch.length
          ? [...batch.filter((_, index) => named.has(index)).map((site) => [site]), batch.filter((_, index) => !named.has(index))]
          : [batch.slice(0, half), batch.slice(half)];
      for (const part of parts) await ask(part);
    }
  }

  await forEachConcurrently(batchesOf(sites, batchSize), parallel, async (batch) => {
    signal.throwIfAborted();
    await ask(batch);
    done += batch.length;
    onProgress?.(done);
  });
  result.refusals.sort((a, b) => a.row - b.row);
  return result;
}

/** What the gateway did. */
export interface WriteCounts {
  created: number;
  updated: number;
  unchanged: number;
}

/** Why writing ended early, and what was put back. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  readonly counts: WriteCounts;
  /** Sites that this run created and that were retired again. */
  readonly retired: number;
  /** Sites that this run created, or may have created, and that could not be retired. */
  readonly left: number;

  constructor(cause: unknown, counts: WriteCounts, retired: number, left: number) {
    super("the import ended early", { cause });
    this.counts = counts;
    this.retired = retired;
    this.left = left;
  }
}

/**
 * Writes the sites, all or none: when a batch fails for good or the signal aborts, the sites that this run created are retired. What it
 * changed in sites that were there before stays changed.
 *
 * @throws WriteFailure with the cause and what was put back.
 */
export async function writeSites(options: UploadOptions): Promise<WriteCounts> {
  const { directory, sites, parallel = 4, onProgress, signal } = options;
  const counts: WriteCounts = { created: 0, updated: 0, unchanged: 0 };
  const created: string[] = [];
  const inDoubt: { batch: readonly CheckedSite[]; requestId: string }[] = [];
  let done = 0;

  function record({ results }: UpsertSitesResponse): void {
    for (const { outcome, siteId } of results) {
      if (outcome === UpsertOutcome.CREATED) {
        created.push(siteId);
        counts.created += 1;
      } else if (outcome === UpsertOutcome.UPDATED) counts.updated += 1;
      else counts.unchanged += 1;
    }
  }

  try {
    await forEachConcurrently(batchesOf(sites, batchSize), parallel, async (batch) => {
      signal.throwIfAborted();
      const requestId = randomUUID();
      try {
        record(await send(directory, batch, requestId, false, options));
      } catch (error) {
        // The answer got lost, so the change may have been made.
        if (isPassing(error)) inDoubt.push({ batch, requestId });
        throw error;
      }
      done += batch.length;
      onProgress?.(done);
    });
    return counts;
  } catch (error) {
    const patient = { ...options, signal: new AbortController().signal };
    let left = 0;
    for (const { batch, requestId } of inDoubt) {
      try {
        // The same request again tells what became of it: the gateway answers what it did, or does it now, to be undone below.
        if (left === 0) record(await send(directory, batch, requestId, false, patient));
        else left += batch.length;
      } catch {
        left += batch.length;
      }
    }
    const retired = await retire(directory, created, patient);
    throw new WriteFailure(error, counts, retired, left + created.length - retired);
  }
}

async function retire(directory: Directory, siteIds: readonly string[], options: UploadOptions): Promise<number> {
  let retired = 0;
  for await (const batch of batchesOf(siteIds, batchSize)) {
    const requestId = randomUUID();
    try {
      await withRetries(() => directory.retireSites({ requestId, siteIds: batch }), options);
      retired += batch.length;
    } catch {
      // A gateway that is gone will not answer the next batch either; what is left is counted and said.
      break;
    }
  }
  return retired;
}

function send(
  directory: Directory,
  batch: readonly CheckedSite[],
  requestId: string,
  validateOnly: boolean,
  options: UploadOptions,
): Promise<UpsertSitesResponse> {
  const sites = batch.map(({ site }) => site);
  return withRetries(() => directory.upsertSites({ requestId, sites, validateOnly }), options);
}

async function withRetries<T>(call: () => Promise<T>, { retryDelaysMs = defaultRetryDelaysMs, signal }: UploadOptions): Promise<T> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      try {
        await sleep(delayMs, undefined, { signal });
      } catch {
        throw error;
      }
    }
  }
  return call();
}

/** True where the same request may succeed later. Errors of the way to the gateway have no reason of the catalogue. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const reason = fromConnectError(error)?.reason;
  if (reason !== undefined) return passingReasons.has(reason);
  return error.code === Code.Unavailable || error.code === Code.DeadlineExceeded || error.code === Code.Aborted;
}
