import {
  type HandoverEntry,
  type HandoverList,
  handoverListText,
  handoverProof,
  handoverSignatures,
  judgeHandover,
  newHandoverNonce,
  publicKeyOf,
  readSiteStatement,
  signSiteStatement,
  siteCode,
} from "@petak/credential";
import { Act, Purpose } from "@petak/protocol";
import { Condition, type DeliveredParcel, Direction, EntryRefusal, type EntryResult, RefusalReason } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { ListedMove } from "../door/listed-moves.ts";
import type { ReportKey } from "../door/report-signer.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { StoredDelivery } from "../store/counter-records.ts";
import { type Made, refused } from "./entry.ts";
import { monthOf } from "./month.ts";
import type { Parcels } from "./parcels.ts";

/** The lists that courier and store sign. */
export interface DeliveryLists {
  /** A delivery with the list of what was scanned, and the code for the courier to scan. Without a courier that is known there is no list. */
  agree(stored: StoredDelivery): Promise<StoredDelivery>;
  /** Ends a delivery. What was scanned by its label changes hands. @param done keeps the closed delivery and its result */
  close(made: Made, stored: StoredDelivery, courierCode: string, done: (closed: StoredDelivery) => EntryResult): Promise<EntryResult>;
}

/** Whether a parcel of a delivery changes hands. */
export const isTaken = ({ condition }: DeliveredParcel) => condition !== Condition.REFUSED;

const refusalReasons: Readonly<Partial<Record<RefusalReason, HandoverEntry["reason"]>>> = {
  [RefusalReason.DAMAGED]: "DAMAGED",
  [RefusalReason.TOO_LARGE]: "TOO_LARGE",
  [RefusalReason.NO_SPACE]: "NO_PLACE",
  [RefusalReason.NOT_ANNOUNCED]: "NOT_ANNOUNCED",
  [RefusalReason.NOT_ALLOWED]: "FORBIDDEN",
};

/** Makes them. @param key the agent's, with which the store signs. Undefined: it signs nothing */
export function createDeliveryLists(options: {
  desk: Desk;
  store: AgentStore;
  parcels: Parcels;
  siteId: string;
  key: ReportKey | undefined;
}): DeliveryLists {
  const { desk, store, parcels, siteId, key } = options;
  const { counter } = store;

  function listOf({ delivery, courierId }: StoredDelivery): HandoverList {
    const direction = delivery.direction === Direction.OUT ? "OUT" : "IN";
    const entries = delivery.parcels.map(entryOf);
    return { siteId, direction, courierId, nonce: newHandoverNonce(), atMs: desk.nowMs(), entries };
  }

  /** What becomes of the parcels that were scanned by their label. */
  async function movesOf({ delivery, list, siteStatement }: StoredDelivery, courierCode: string): Promise<ListedMove[]> {
    const isIn = delivery.direction === Direction.IN;
    const moves: ListedMove[] = [];
    for (const { reservationId, shelfPlace: compartmentId, condition } of delivery.parcels) {
      const isHere = parcels.placeOf(reservationId) !== undefined;
      if (reservationId === "" || condition === Condition.REFUSED || isHere === isIn) continue;
      const proof = courierCode === "" ? "" : await handoverProof({ list, siteStatement, courierCode }, reservationId);
      const outgoing = parcels.facts(reservationId).purpose === Purpose.DELIVERY ? Act.RECALL : Act.COLLECT;
      moves.push({ reservationId, compartmentId, act: isIn ? Act.DEPOSIT : outgoing, proof: proof ?? "" });
    }
    return moves;
  }

  return {
    async agree(stored) {
      const isOne = stored.courierId !== "" && stored.delivery.parcels.length > 0;
      if (key === undefined || !isOne) return stored;
      const list = listOf(stored);
      const siteStatement = await signSiteStatement(key.privateJwk, publicKeyOf(key.privateJwk), list);
      const signed = readSiteStatement(siteStatement);
      const listHash = typeof signed === "string" ? "" : signed.statement.listHash;
      const delivery = { ...stored.delivery, storeCode: await siteCode(siteStatement, list), listHash };
      return { ...stored, delivery, list: handoverListText(list), siteStatement };
    },
    async close(made, stored, courierCode, done) {
      const { list, siteStatement, delivery } = stored;
      if (courierCode !== "") {
        const expected = { siteId, siteKeys: undefined, courierKeys: store.courierKeys() };
        const judged = await judgeHandover({ list, siteStatement, courierCode }, expected);
        // A key that the store has not heard of yet is judged by the gateway.
        if (typeof judged === "string" && judged !== "certificate_key") return refused(made, EntryRefusal.LIST_DIFFERS);
      }
      const closed = { ...stored, isOpen: false, courierCode, delivery: { ...delivery, isSigned: courierCode !== "" } };
      const isProven = courierCode !== "" && store.takesHandoverLists();
      const moves = await movesOf(stored, isProven ? courierCode : "");
      const signed = !isProven
        ? undefined
        : {
            listHash: delivery.listHash,
            signatures: handoverSignatures({ siteStatement, courierCode }),
          };
      let outcome: EntryResult | undefined;
      await desk.moveListed({ clerkId: made.clerkId, signed, moves }, () => {
        const nowMs = desk.nowMs();
        for (const { reservationId, compartmentId, act } of moves) {
          counter.setOccupied(compartmentId, act === Act.DEPOSIT);
          counter.count(monthOf(store.site(), nowMs), act === Act.DEPOSIT ? "accepted" : "givenBack");
          if (act !== Act.DEPOSIT) continue;
          const label = delivery.parcels.find((parcel) => parcel.reservationId === reservationId)?.label ?? "";
          // Without a list the gateway has only the store's word, and doubts; the clerk has the parcel in hand.
          counter.saveParcel({ reservationId, label, cameAtMs: nowMs, isForCourier: false, isFound: !isProven });
        }
        outcome = done(closed);
      });
      return outcome ?? refused(made, EntryRefusal.OUT_OF_ORDER);
    },
  };
}

function entryOf({ reservationId, label, condition, refusalReason }: DeliveredParcel): HandoverEntry {
  const parcel = { reservationId, labelCode: reservationId === "" ? label.replace(/[^ -~]/g, "?").slice(0, 64) : "" };
  if (condition === Condition.REFUSED) return { ...parcel, condition: "REFUSED", reason: refusalReasons[refusalReason] ?? "OTHER" };
  return condition === Condition.DAMAGED
    ? { ...parcel, condition: "DAMAGED", reason: "OTHER" }
    : { ...parcel, condition: "OK", reason: "" };
}
