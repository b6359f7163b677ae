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
  /** The batches that run. */
  shares: CallerShares;
  /** Makes one call as if it had come alone, and gives its response. */
  make(call: SingleCall): Promise<unknown>;
}

/** The calls of one batch that are made at once: as many holds as are taken in one step. */
const atOnce = 32;

/** The batches of one caller that may run at once, and of all callers: multiplied by {@link atOnce}, these are as much load on the store as single calls. */
export const batchesAtOnce = { perCaller: 4, total: 32 } as const;

/** When a caller with too many batches may try again, in ms: a batch takes a fraction of that. */
const retryAfterMs = 1000;

/** Makes several calls in one, each as if it had come alone. */
export async function batch(
  { shares, make }: BatchDependencies,
  request: BatchRequest,
  { participantId }: ParticipantCaller,
  call: { readonly signal: AbortSignal },
): Promise<BatchResponse> {
  const giveBack = shares.take(participantId);
  if (giveBack === undefined) throw tooManyBatches(participantId);
  try {
    const results: BatchResult[] = [];
    const waiting = inOrder(request.calls);
    // A defect, or an unreachable store, concerns more than one call: no further call is begun then.
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
    const workers = Array.from({ length: Math.min(atOnce, waiting.length) }, async () => {
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
  if (call.case === undefined) throw new TypeError("validation let an empty call through");
  try {
    const value = await make(call);
    return create(BatchResultSchema, { result: { case: call.case, value } as BatchResult["result"] });
  } catch (error) {
    if (error instanceof PetakError) return create(BatchResultSchema, { result: { case: "error", value: batchError(error) } });
    throw error;
  }
}

/** The indexes of the calls, in groups that are made one call after the other: the calls about one reservation, and each other call by itself. */
function inOrder(calls: readonly BatchCall[]): number[][] {
  const groups = new Map<string | number, number[]>();
  for (const [index, { call }] of calls.entries()) {
    // A credential for work at a site names no reservation.
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

function tooManyBatches(participantId: string): PetakError {
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${batchesAtOnce.perCaller} concurrent batches at this gateway, or all callers have ${batchesAtOnce.total}, which is the limit; ` +
      `try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
