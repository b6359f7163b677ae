import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client/node";
import {
  fromConnectError,
  LiveReservations,
  type Reason,
  UpsertOutcome,
  type UpsertSiteResult,
  type UpsertSitesResponse,
} from "@petak/protocol";
import { batchesOf, forEachConcurrently } from "../batches.ts";
import type { CheckedSite } from "./build-site.ts";
import type { Refusal } from "./refusal.ts";

type Directory = Pick<PetakClient["directory"], "upsertSites" | "retireSites">;

/** Common options of validating and writing. */
export interface UploadOptions {
  directory: Directory;
  /** The sites, in the order of the file. */
  sites: AsyncIterable<CheckedSite>;
  /** What happens to the live reservations of sites that move far. Default REFUSE. */
  live?: LiveReservations | undefined;
  /** Concurrent batches. Default 4, which keeps a gateway on one core busy without risking timeouts. */
  parallel?: number;
  /** Called after every batch with the sites done so far. */
  onProgress?: (done: number) => void;
  /** Called with the ids of existing sites, at most 100, that the gateway would change. Only by {@link validateSites}. */
  onExisting?: (siteIds: string[]) => Promise<void>;
  /** Called with the results of sites that were written. Only by {@link writeSites}. */
  onWritten?: ((results: readonly UpsertSiteResult[]) => void) | undefined;
  /** Stops before the next batch. */
  signal: AbortSignal;
  /** Delays before the retries of a batch that failed for a transient reason, in ms. Default 0.5, 1, 2 and 4 s: a gateway restarts in that time. */
  retryDelaysMs?: readonly number[];
}

const batchSize = 100;
const defaultRetryDelaysMs = [500, 1000, 2000, 4000];

/** Transient reasons. */
const passingReasons: ReadonlySet<Reason> = new Set<Reason>([
  "CONFLICT",
  "DEADLINE_EXCEEDED",
  "OVERLOADED",
  "RATE_LIMITED",
  "SHUTTING_DOWN",
  "STORE_UNAVAILABLE",
]);

/** Reasons that concern single sites of a batch. */
const siteReasons: ReadonlySet<Reason> = new Set<Reason>(["CAPACITY_IN_USE", "INVALID_FIELD", "SITE_IN_USE", "SITE_REGION_CHANGED"]);

/** Result of a validation. */
export interface ValidationResult {
  /** Refused sites. */
  refusals: Refusal[];
  /** Number of existing sites. */
  existing: number;
}

/**
 * Lets the gateway validate the sites without writing them. A refused batch is split until the refused sites are found.
 *
 * @throws the client's error if it does not concern single sites.
 */
export async function validateSites(options: UploadOptions): Promise<ValidationResult> {
  const { directory, sites, parallel = 4, onProgress, signal } = options;
  const result: ValidationResult = { refusals: [], existing: 0 };
  let done = 0;

  async function ask(batch: readonly CheckedSite[]): Promise<void> {
    try {
      const { results } = await send(directory, batch, randomUUID(), true, options);
      const existing = results.map(({ siteId }) => siteId).filter((siteId) => siteId !== "");
      result.existing += existing.length;
      if (existing.length > 0) await options.onExisting?.(existing);
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
      // If the fields name sites, validate those alone and the others together again.
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

/** Counts of written sites. */
export interface WriteCounts {
  created: number;
  updated: number;
  unchanged: number;
}

/** Writing ended early; says why, and what was undone. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  readonly counts: WriteCounts;
  /** Sites that this run created and then retired. */
  readonly retired: number;
  /** Sites that this run created, or may have created, but could not retire. */
  readonly left: number;

  constructor(cause: unknown, counts: WriteCounts, retired: number, left: number) {
    super("the import ended early", { cause });
    this.counts = counts;
    this.retired = retired;
    this.left = left;
  }
}

/**
 * Writes the sites. If a batch fails permanently or the signal aborts, the sites that this run created are retired; changes of existing sites stay.
 *
 * @throws WriteFailure with the cause and what was undone.
 */
export async function writeSites(options: UploadOptions): Promise<WriteCounts> {
  const { directory, sites, parallel = 4, onProgress, signal } = options;
  const counts: WriteCounts = { created: 0, updated: 0, unchanged: 0 };
  const created: string[] = [];
  const inDoubt: { batch: readonly CheckedSite[]; requestId: string }[] = [];
  let done = 0;

  function record({ results }: UpsertSitesResponse): void {
    options.onWritten?.(results);
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
        // The response was lost, so the change may have been made.
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
        // Repeating the request shows its result: the gateway returns what it did, or does it now, to be undone below.
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
      await withRetries(() => directory.retireSites({ requestId, siteIds: batch, liveReservations: LiveReservations.DRAIN }), options);
      retired += batch.length;
    } catch {
      // An unreachable gateway will not answer the next batch either; count the rest.
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
  const liveReservations = options.live ?? LiveReservations.REFUSE;
  return withRetries(() => directory.upsertSites({ requestId, sites, validateOnly, liveReservations }), options);
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

/** Whether the same request may succeed later. Transport errors have no reason of the catalogue. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const reason = fromConnectError(error)?.reason;
  if (reason !== undefined) return passingReasons.has(reason);
  return error.code === Code.Unavailable || error.code === Code.DeadlineExceeded || error.code === Code.Aborted;
}
