import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type BatchCall,
  type BatchError,
  BatchErrorSchema,
  type BatchRequest,
  type BatchResponse,
  BatchResponseSchema,
  type BatchResult,
  BatchResultSchema,
  catalogue,
  PetakError,
} from "@petak/protocol";
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { ParticipantCaller } from "../../identity/index.ts";

/** A single call of a batch. */
export type SingleCall = Exclude<BatchCall["call"], { case: undefined }>;

export interface BatchDependencies {
  /** Limits concurrent batches. */
  shares: CallerShares;
  /** Handles one call as if it had been sent alone, and returns its response. */
  make(call: SingleCall): Promise<unknown>;
}

/** Concurrent calls of one batch: as many as the store combines into one step. */
const concurrency = 32;

/** Concurrent batches, for each caller at all gateways and in total at one. Multiplied by {@link concurrency}, they load the store as much as single calls may. */
export const concurrentBatches = { perCaller: 4, total: 32 } as const;

/** Retry delay for a caller with too many batches, in ms. A batch takes a fraction of that. */
const retryAfterMs = 1000;

/** Handles several calls in one, each as if it had been sent alone. */
export async function batch(
  { shares, make }: BatchDependencies,
  request: BatchRequest,
  { participantId }: ParticipantCaller,
  call: { readonly signal: AbortSignal },
): Promise<BatchResponse> {
  const giveBack = shares.take(participantId);
  if (giveBack === undefined) throw tooManyBatches(participantId, shares.usedBy(participantId));
  try {
    const results: BatchResult[] = [];
    const waiting = inOrder(request.calls);
    // A defect or an unreachable store affects all calls, so no further call is started.
    let isStopped = false;
    const work = async () => {
      for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
        for (const index of group) {
          if (isStopped) return;
          call.signal.throwIfAborted();
          results[index] = await resultOf(request.calls[index] as BatchCall, make);
        }
      }
    };
    const workers = Array.from({ length: Math.min(concurrency, waiting.length) }, async () => {
      try {
        await work();
      } catch (error) {
        isStopped = true;
        throw error;
      }
    });
    const ends = await Promise.allSettled(workers);
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return create(BatchResponseSchema, { results });
  } finally {
    giveBack();
  }
}

async function resultOf({ call }: BatchCall, make: BatchDependencies["make"]): Promise<BatchResult> {
  if (call.case === undefined) throw new TypeError("validation accepted an empty call");
  try {
    const value = await make(call);
    return create(BatchResultSchema, { result: { case: call.case, value } as BatchResult["result"] });
  } catch (error) {
    if (error instanceof PetakError) return create(BatchResultSchema, { result: { case: "error", value: batchError(error) } });
    throw error;
  }
}

/** Groups the indexes of calls that must run in sequence: calls about the same reservation. Every other call is a group of its own. */
function inOrder(calls: readonly BatchCall[]): number[][] {
  const groups = new Map<string | number, number[]>();
  for (const [index, { call }] of calls.entries()) {
    // A request for a SERVICE credential names no reservation.
    const about = call.case === undefined || call.case === "reserve" ? index : call.value.reservationId || index;
    const group = groups.get(about);
    if (group === undefined) groups.set(about, [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

function batchError({ reason, message, metadata, fieldViolations, retryAfterMs: afterMs }: PetakError): BatchError {
  return create(BatchErrorSchema, {
    reason,
    code: catalogue[reason].code,
    message,
    metadata: Object.entries(metadata)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value })),
    fieldViolations,
    ...(afterMs !== undefined && { retryDelay: durationFromMs(afterMs) }),
  });
}

function tooManyBatches(participantId: string, running: number): PetakError {
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${running} concurrent batches at all gateways, its share; ` + `try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
