import type { ServiceImpl } from "@connectrpc/connect";
import { type CustodyService, Role } from "@petak/protocol";
import type { ParticipantFeeds, Records } from "@petak/records";
import type { CallerShares } from "../../identity/caller-shares.ts";
import { type KeyDirectory, type ParticipantCaller, requireParticipant } from "../../identity/index.ts";
import { callKey } from "../../transport/call/call.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { correctEvents } from "./correct-events.ts";
import { countersignReceipt } from "./countersign-receipt.ts";
import type { EventView } from "./event-view.ts";
import { getCustodyChain } from "./get-custody-chain.ts";
import { listEvents } from "./list-events.ts";
import type { Receipts } from "./receipts/receipts.ts";
import { watchEvents } from "./watch-events.ts";

export interface CustodyDependencies {
  records: Pick<Records, "reservations" | "events" | "sites" | "requestIds">;
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  feeds: ParticipantFeeds;
  reader: FeedReader;
  view: EventView;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
  /** Rejects if the caller's key was revoked during the call, which may last longer than the key. */
  stillValid: (caller: ParticipantCaller) => Promise<void> | undefined;
  /** Calls of ListEvents that wait. */
  polls: CallerShares;
  /** Open streams. */
  streams: CallerShares;
}

const operators = { roles: [Role.OPERATOR] };

/** Creates the custody service: for each call its handler, and the roles that may make it. */
export function createCustodyService(options: CustodyDependencies): ServiceImpl<typeof CustodyService> {
  const { records, receipts, polls, streams } = options;
  const { reservations, events } = records;
  const dependencies = { ...options, reservations, events, changes: createReservationChanges(records, receipts) };
  const polling = { ...options, shares: polls };
  const streaming = { ...options, shares: streams };
  return {
    listEvents: (request, context) =>
      listEvents(polling, request, requireParticipant(context), {
        get signal() {
          return context.signal;
        },
        timeoutMs: () => context.timeoutMs(),
        onWait: () => context.values.get(callKey)?.ticket?.pause(),
      }),
    async *watchEvents(request, context) {
      yield* watchEvents(streaming, request, requireParticipant(context), context);
    },
    getCustodyChain: (request, context) => getCustodyChain(dependencies, request, requireParticipant(context)),
    correctEvents: (request, context) => correctEvents(dependencies, request, requireParticipant(context, operators)),
    countersignReceipt: (request, context) => countersignReceipt(dependencies, request, requireParticipant(context)),
  };
}
