import { randomUUID } from "node:crypto";
import { Act } from "@petak/protocol";
import { EntryRefusal, type EntryResult } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import { credentialOf } from "../decision/credential-of.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type Made, refused } from "./entry.ts";
import { monthOf } from "./month.ts";
import type { Parcels } from "./parcels.ts";
import type { PlaceOrder } from "./place-order.ts";
import type { Shelf } from "./shelf.ts";

/**
 * Takes a parcel in by its own deposit code: a courier hands it over, so there is nothing to wait for between showing the code and putting it on its place.
 *
 * @param change made in the transaction that spends the code: what the entry changes, and its result
 */
export type TakeByCode = (
  made: Made,
  text: string,
  change: (reservationId: string, placeId: string) => EntryResult,
) => Promise<EntryResult>;

/** A code that permits something else than a deposit. */
class NoDepositError extends Error {
  override readonly name = "NoDepositError";
}

/** Makes it. */
export function createTakeByCode(options: {
  desk: Desk;
  store: AgentStore;
  shelf: Shelf;
  parcels: Parcels;
  order: PlaceOrder;
}): TakeByCode {
  const { desk, store, shelf, parcels, order } = options;
  const { counter } = store;
  return async (made, text, change) => {
    let placeId = "";
    const presentation = desk.present(credentialOf(text), {
      clerkId: made.clerkId,
      sort: order.sort,
      begin({ compartmentId, credentialId, reservationId, act }) {
        if (act !== Act.DEPOSIT) throw new NoDepositError("the code is none for a deposit");
        placeId = compartmentId;
        const nowMs = desk.nowMs();
        const { tabletId, clerkId } = made;
        const handOver = { handOverId: randomUUID(), placeId, reservationId, credentialId, act, tabletId, clerkId, beganAtMs: nowMs };
        counter.beginHandOver({ ...handOver, number: 1, parcels: 1 });
        counter.endHandOver(handOver.handOverId, clerkId);
        counter.setOccupied(placeId, true);
        parcels.keepFacts(reservationId, nowMs);
        counter.saveParcel({ reservationId, label: "", cameAtMs: nowMs, isForCourier: false, isFound: false });
        counter.count(monthOf(store.site(), nowMs), "accepted");
        change(reservationId, placeId);
      },
      refused: () => counter.saveResult(refused(made, EntryRefusal.CODE_NOT_ACCEPTED), desk.nowMs()),
    });
    try {
      await presentation;
    } catch (error) {
      // The transaction is undone: the code is good as before.
      if (error instanceof NoDepositError) return refused(made, EntryRefusal.CODE_NOT_ACCEPTED);
      throw error;
    }
    if (placeId !== "") {
      shelf.changed(placeId);
      await desk.written();
    }
    return counter.result(made.entryId) ?? refused(made, EntryRefusal.OUT_OF_ORDER);
  };
}
