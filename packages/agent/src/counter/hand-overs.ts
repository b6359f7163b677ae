import { randomUUID } from "node:crypto";
import { create, equals } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, ConditionKind, MoneySchema } from "@petak/protocol";
import {
  type DecidedAlone,
  type EndHandOver,
  EndReason,
  EntryRefusal,
  type EntryResult,
  type HandOver,
  HandOverSchema,
  type MoveParcel,
  type ShowCode,
} from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import { credentialOf } from "../decision/credential-of.ts";
import { type DoorRefusal, type PersonRefusal, personRefusal } from "../decision/refusals.ts";
import type { CounterOpening } from "../door/door.ts";
import type { Unmoved } from "../door/reporter.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { Checked, StoredHandOver } from "../store/counter-records.ts";
import type { Handled } from "../store/shop-records.ts";
import { type Made, NotWrittenError, refused, result } from "./entry.ts";
import { type Leases, renewalMs } from "./leases.ts";
import { monthOf } from "./month.ts";
import { isSame, type Parcels, placeCode } from "./parcels.ts";
import type { PlaceOrder } from "./place-order.ts";
import type { Shelf } from "./shelf.ts";

/** Hand-overs to persons, and take-ins from them. */
export interface HandOvers {
  show(made: Made, entry: ShowCode): Promise<EntryResult>;
  move(made: Made, entry: MoveParcel): Promise<EntryResult>;
  end(made: Made, entry: EndHandOver): Promise<EntryResult>;
  /** Those that are under way. */
  open(): HandOver[];
}

const refusals: Readonly<Record<PersonRefusal, EntryRefusal>> = {
  NOT_ACCEPTED: EntryRefusal.CODE_NOT_ACCEPTED,
  PINS_LOCKED: EntryRefusal.LOCKED_OUT,
  NO_PLACE_FREE: EntryRefusal.NO_PLACE,
  NO_DEPOSITS: EntryRefusal.NO_PLACE,
  OUT_OF_ORDER: EntryRefusal.OUT_OF_ORDER,
};

function handled(act: Act): Handled {
  if (act === Act.COLLECT) return "handedOver";
  return act === Act.DEPOSIT ? "takenIn" : "givenBack";
}

/** How old an entry is that was made while the agent could not be reached, in ms. */
const waitedMs = 60_000;

/** Why a hand-over ended, in reports. */
const unmoved: Readonly<Partial<Record<EndReason, Unmoved>>> = {
  [EndReason.CANNOT_FIND]: "CANNOT_FIND",
  [EndReason.CHECK_FAILED]: "CHECK_FAILED",
  [EndReason.REFUSED_BY_PERSON]: "REFUSED_BY_PERSON",
};

/**
 * Makes them. Entries come one at a time. What an entry changes and what came of it are one transaction, so that a power cut leaves both or neither.
 */
export function createHandOvers(options: {
  desk: Desk;
  store: AgentStore;
  shelf: Shelf;
  parcels: Parcels;
  order: PlaceOrder;
  leases: Pick<Leases, "of">;
}): HandOvers {
  const { desk, store, shelf, parcels, order, leases } = options;
  const { counter } = store;
  /** The entry in hand, for the next parcel of a code, which begins by itself. */
  let current: Made | undefined;

  function messageOf(handOver: StoredHandOver): HandOver {
    const { handOverId, act, placeId, reservationId, number, parcels: of, tabletId, clerkId, beganAtMs } = handOver;
    const { labelCodes, requirements, cashDue } = parcels.facts(reservationId);
    return create(HandOverSchema, {
      ...{ handOverId, act, number, of, tabletId, clerkId, shelfPlace: placeId, beganAt: timestampFromMs(beganAtMs) },
      labelEnding: labelCodes[0]?.slice(-6) ?? "",
      ...(act === Act.COLLECT && { requirements: [...requirements], ...(cashDue && { cashDue }) }),
    });
  }

  function begin(opening: CounterOpening, shownBy: Made, number: number): void {
    beginAs(randomUUID(), opening, current ?? shownBy, number, desk.nowMs());
  }

  function beginAs(
    handOverId: string,
    { compartmentId: placeId, parcelsToCome, ...opening }: CounterOpening,
    made: Made,
    number: number,
    beganAtMs: number,
  ): void {
    // A technician has nothing to do at a counter.
    if (opening.act === Act.SERVICE) {
      counter.saveResult(refused(made, EntryRefusal.CODE_NOT_ACCEPTED), desk.nowMs());
      return;
    }
    const { tabletId, clerkId } = made;
    const whose = { handOverId, placeId, tabletId, clerkId, beganAtMs: Math.floor(beganAtMs) };
    const handOver = { ...opening, ...whose, number, parcels: number + parcelsToCome };
    parcels.keepFacts(opening.reservationId, desk.nowMs());
    counter.beginHandOver(handOver);
    counter.saveResult(result(made, { handOver: messageOf(handOver) }), desk.nowMs());
  }

  /** When a clerk ended a hand-over, if the entry of it has waited on the tablet. */
  function endedLater({ beganAtMs }: StoredHandOver, { atMs }: Made): Checked {
    const nowMs = desk.nowMs();
    if (nowMs - atMs < waitedMs) return {};
    return { occurredAt: timestampFromMs(Math.floor(Math.max(beganAtMs, atMs))), offline: true };
  }

  /** A code that is shown again while its hand-over is under way: whoever has it in hand goes on. */
  function refuse(made: Made, refusal: DoorRefusal, credentialId: string | undefined): void {
    const under = counter.openHandOvers().find((one) => one.credentialId === credentialId);
    const again =
      under?.tabletId === made.tabletId ? result(made, { handOver: messageOf(under) }) : refused(made, EntryRefusal.OTHER_TABLET);
    counter.saveResult(under === undefined ? refused(made, refusals[personRefusal(refusal)]) : again, desk.nowMs());
  }

  /**
   * Takes over what a tablet has decided by its lease. The agent judges the code again: with a lease nobody can invent that one was shown. What contradicts the record is
   * told, and a parcel that may have left is in doubt.
   */
  async function takeOver(made: Made, text: string, { leaseNumber, handOverId, reservationId }: DecidedAlone): Promise<EntryResult> {
    const lease = leases.of(made.tabletId, leaseNumber);
    const contradicts = () => {
      const placeId = parcels.placeOf(reservationId);
      const isHere = lease !== undefined && placeId !== undefined && counter.openHandOverAt(placeId) === undefined;
      store.transaction(() => {
        if (isHere) counter.setOccupied(placeId, false);
        desk.tell(ConditionKind.HAND_OVER_CONTRADICTED, made.clerkId);
        counter.saveResult(refused(made, EntryRefusal.CONTRADICTED), desk.nowMs());
      });
    };
    if (lease === undefined) contradicts();
    else {
      const atMs = Math.min(desk.nowMs(), lease.endsAtMs + renewalMs, Math.max(lease.beganAtMs, made.atMs));
      const begin = (opening: CounterOpening) => beginAs(handOverId, opening, made, 1, atMs);
      const again = (credentialId: string | undefined) => {
        const under = counter.openHandOvers().find((one) => one.credentialId === credentialId && one.reservationId === reservationId);
        if (under?.tabletId !== made.tabletId) return contradicts();
        // The agent had judged the code for this tablet already, and the answer was lost.
        counter.renameHandOver(under.handOverId, handOverId);
        counter.saveResult(result(made, { handOver: messageOf({ ...under, handOverId }) }), desk.nowMs());
      };
      await desk.takeOver(
        credentialOf(text),
        { atMs, reservationId },
        { clerkId: made.clerkId, sort: order.sort, begin, refused: (_, credentialId) => again(credentialId) },
      );
    }
    await desk.findMissing();
    const kept = counter.result(made.entryId);
    if (kept === undefined) throw new NotWrittenError("what a tablet has decided was not written down: it stays on the tablet");
    return kept;
  }

  async function show(made: Made, { text, decided }: ShowCode): Promise<EntryResult> {
    if (decided !== undefined) return await takeOver(made, text, decided);
    let number = 0;
    const presentation = await desk.present(credentialOf(text), {
      clerkId: made.clerkId,
      sort: order.sort,
      begin: (opening) => begin(opening, made, ++number),
      refused: (refusal, credentialId) => refuse(made, refusal, credentialId),
    });
    const kept = counter.result(made.entryId);
    if (kept !== undefined) return kept;
    // Nothing was judged.
    return refused(made, presentation.opened ? EntryRefusal.OUT_OF_ORDER : refusals[presentation.refusal]);
  }

  /** Whether what was scanned can be the parcel of a hand-over. One that is taken in may have a label that nobody announced. */
  function isTheParcel(label: string, handOver: StoredHandOver): boolean {
    if (parcels.isLabelOf(label, handOver)) return true;
    const isAnnounced = parcels.facts(handOver.reservationId).labelCodes.length > 0;
    if (handOver.act !== Act.DEPOSIT || isAnnounced) return false;
    return !label.trim().toLowerCase().startsWith(placeCode("")) && parcels.withLabel(label).length === 0;
  }

  async function move(made: Made, { handOverId, label, checksDone, cashCollected }: MoveParcel): Promise<EntryResult> {
    const handOver = counter.openHandOvers().find((one) => one.handOverId === handOverId);
    if (handOver === undefined) return refused(made, EntryRefusal.OVER);
    if (handOver.tabletId !== made.tabletId) return refused(made, EntryRefusal.OTHER_TABLET);
    const { placeId, reservationId, act } = handOver;
    if (!isTheParcel(label, handOver)) {
      await desk.wrongParcel(placeId);
      return refused(made, EntryRefusal.WRONG_PARCEL);
    }
    const { requirements, cashDue } = messageOf(handOver);
    const isPaid = equals(MoneySchema, cashDue ?? create(MoneySchema), cashCollected ?? create(MoneySchema));
    if (!isPaid || requirements.some((one) => !checksDone.includes(one))) return refused(made, EntryRefusal.CHECK_MISSING);
    const nowMs = desk.nowMs();
    store.transaction(() => {
      counter.setOccupied(placeId, act === Act.DEPOSIT);
      const checked =
        requirements.length > 0 || cashDue !== undefined ? { checksDone: requirements, ...(cashDue && { cashCollected: cashDue }) } : {};
      counter.endHandOver(handOverId, made.clerkId, { ...checked, ...endedLater(handOver, made) });
      const learned = isSame(label, placeCode(placeId)) || isSame(label, reservationId) ? "" : label.trim();
      if (act === Act.DEPOSIT) counter.saveParcel({ reservationId, label: learned, cameAtMs: nowMs, isForCourier: false, isFound: false });
      if (cashDue !== undefined) counter.addCash(made.clerkId, cashDue, nowMs);
      counter.count(monthOf(store.site(), nowMs), handled(act));
      counter.saveResult(result(made), nowMs);
    });
    current = made;
    try {
      shelf.changed(placeId);
      await desk.written();
    } finally {
      current = undefined;
    }
    return counter.result(made.entryId) ?? result(made);
  }

  async function end(made: Made, { handOverId, reason }: EndHandOver): Promise<EntryResult> {
    const handOver = counter.openHandOvers().find((one) => one.handOverId === handOverId);
    if (handOver === undefined) return refused(made, EntryRefusal.OVER);
    const { placeId, reservationId, act } = handOver;
    // A person who brings a parcel and goes with it has not changed anything, whatever the clerk calls it.
    const why = act === Act.DEPOSIT ? "NOT_NOW" : (unmoved[reason] ?? "NOT_NOW");
    const hasEnded = await desk.endUnmoved(placeId, why, () => {
      const nowMs = desk.nowMs();
      counter.endHandOver(handOverId, made.clerkId, endedLater(handOver, made));
      if (why === "CANNOT_FIND") counter.setOccupied(placeId, false);
      if (why === "REFUSED_BY_PERSON") {
        const { label, cameAtMs, isFound } = counter.parcel(reservationId) ?? { label: "", cameAtMs: nowMs, isFound: false };
        counter.saveParcel({ reservationId, label, cameAtMs, isFound, isForCourier: true });
      }
      counter.saveResult(result(made), nowMs);
    });
    return hasEnded ? result(made) : refused(made, EntryRefusal.OVER);
  }

  return { show, move, end, open: () => counter.openHandOvers().map(messageOf) };
}
