import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
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
  type ReservationService,
} from "@petak/protocol";
import { requireParticipant } from "../../identity/index.ts";
import { createCallerShares } from "../limits/caller-shares.ts";

/** The calls that a batch may be made of. */
export type SingleCalls = Pick<
  ServiceImpl<typeof ReservationService>,
  "reserve" | "confirm" | "extend" | "cancel" | "redirect" | "issueCredential" | "getReservation"
>;

/** Calls of one batch that are made at once: as many holds as are taken in one step. */
const atOnce = 32;

/** Batches of one caller at once, and of all: so many, times as many calls at once, are as much as the store is given by single calls. */
const shares = { perCaller: 4, total: 32 };

/** When one who has too many batches under way may come again, in ms: a batch takes a fraction of that. */
const retryAfterMs = 1000;

/** Makes several calls in one, each as if it had come alone. */
export function createBatch(calls: SingleCalls) {
  const underWay = createCallerShares(shares);

  async function make({ call }: BatchCall, context: HandlerContext): Promise<BatchResult> {
    if (call.case === undefined) throw new TypeError("validation let an empty call through");
    try {
      const handle = calls[call.case] as (request: unknown, context: HandlerContext) => Promise<unknown>;
      const answer = await handle(call.value, context);
      return create(BatchResultSchema, { result: { case: call.case, value: answer } as BatchResult["result"] });
    } catch (error) {
      if (error instanceof PetakError) return create(BatchResultSchema, { result: { case: "error", value: batchError(error) } });
      throw error;
    }
  }

  return async (request: BatchRequest, context: HandlerContext): Promise<BatchResponse> => {
    const { participantId } = requireParticipant(context);
    const giveBack = underWay.take(participantId);
    if (giveBack === undefined) throw tooManyBatches(participantId);
    try {
      const results: BatchResult[] = [];
      const waiting = inOrder(request.calls);
      // A defect or a store that is away is no matter of one call: nothing more is begun then.
      let isStopped = false;
      const work = async () => {
        for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
          for (const index of group) {
            if (isStopped) return;
            context.signal.throwIfAborted();
            results[index] = await make(request.calls[index] as BatchCall, context);
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
  };
}

/** The places of calls that must be made one after the other, group by group: those about one reservation, and each of the others by itself. */
function inOrder(calls: readonly BatchCall[]): number[][] {
  const groups = new Map<string | number, number[]>();
  for (const [index, { call }] of calls.entries()) {
    // What opens doors for work is about no reservation.
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
    `'${participantId}' has ${shares.perCaller} concurrent batches at this gateway, or all callers have ${shares.total}, which is the limit; ` +
      `try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}
