import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CodeStanding } from "@petak/protocol";
import {
  type AgreeCount,
  type BeginDelivery,
  type CloseDelivery,
  Condition,
  type DeliveredParcel,
  DeliveredParcelSchema,
  type Delivery,
  DeliverySchema,
  Direction,
  EntryRefusal,
  type EntryResult,
  type ScanParcel,
  type UnscanParcel,
} from "@petak/protocol/counter";
import { canonicalLabelCode } from "@petak/protocol/label-code";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { StoredDelivery } from "../store/counter-records.ts";
import type { ResolvedCode } from "../uplink/code-resolver.ts";
import { type DeliveryLists, isTaken } from "./delivery-lists.ts";
import { type Made, type Refusal, refused, result } from "./entry.ts";
import { isSame, type Parcels } from "./parcels.ts";
import type { PlaceOrder } from "./place-order.ts";
import type { TakeByCode } from "./take-by-code.ts";

/** What couriers bring and fetch. */
export interface Deliveries {
  begin(made: Made, entry: BeginDelivery): EntryResult;
  /** Asks the gateway about a label that is neither on the shelf nor announced. Returns why the parcel is not taken if nothing is known of it afterwards. */
  ask(entry: ScanParcel): Promise<Refusal>;
  /** @param unknownAs what {@link ask} has returned */
  scan(made: Made, entry: ScanParcel, unknownAs: Refusal): Promise<EntryResult>;
  unscan(made: Made, entry: UnscanParcel): EntryResult;
  agree(made: Made, entry: AgreeCount): Promise<EntryResult>;
  close(made: Made, entry: CloseDelivery): Promise<EntryResult>;
  /** Those that are under way. */
  open(): Delivery[];
}

/** A scanned parcel as the list has it, or why it is not on it. */
type Found =
  | { readonly parcel: DeliveredParcel; readonly courierId: string; readonly courierName: string }
  | { readonly refusal: EntryRefusal | Refusal };

/** Why a parcel is not taken, by what the gateway says of its label. */
const unknownBy: Readonly<Record<CodeStanding, EntryRefusal>> = {
  [CodeStanding.UNSPECIFIED]: EntryRefusal.CANNOT_ASK,
  // It has left meanwhile by the store's own record, which is the newer one.
  [CodeStanding.EXPECTED_HERE]: EntryRefusal.ENDED,
  [CodeStanding.ELSEWHERE]: EntryRefusal.OTHER_SITE,
  [CodeStanding.ENDED]: EntryRefusal.ENDED,
  [CodeStanding.UNKNOWN]: EntryRefusal.NOT_ANNOUNCED,
};

function refusalOf(resolved: ResolvedCode | undefined): Refusal {
  if (resolved?.isHeld === true) return { refusal: EntryRefusal.NOT_CONFIRMED, otherSiteNames: [] };
  const { standing = CodeStanding.UNSPECIFIED, otherSiteNames = [] } = resolved ?? {};
  return { refusal: unknownBy[standing] ?? EntryRefusal.CANNOT_ASK, otherSiteNames };
}

/** Whether what was scanned is an access token, and no label. */
const isDepositCode = ({ label }: ScanParcel) => label.split(".").length === 3 && label.length > 100;

/**
 * Makes them. A parcel that is scanned by its own deposit code is in the store's custody at once. One that is scanned by its label has a place from then on, and is in the
 * store's custody when both have signed the list.
 */
export function createDeliveries(options: {
  desk: Desk;
  store: AgentStore;
  parcels: Parcels;
  lists: DeliveryLists;
  order: PlaceOrder;
  takeByCode: TakeByCode;
}): Deliveries {
  const { desk, store, parcels, lists, order, takeByCode } = options;
  const { counter } = store;

  function done(made: Made, stored: StoredDelivery): EntryResult {
    const outcome = result(made, { delivery: shown(stored) });
    counter.saveDelivery(stored);
    counter.saveResult(outcome, desk.nowMs());
    return outcome;
  }

  function shown({ delivery, courierId }: StoredDelivery): Delivery {
    const scanned = new Set(delivery.parcels.map(({ reservationId }) => reservationId));
    const notScanned = courierId === "" ? 0 : parcels.ofCourier(courierId, delivery.direction).filter((one) => !scanned.has(one)).length;
    return { ...delivery, notScanned };
  }

  function under(deliveryId: string): StoredDelivery | undefined {
    const stored = counter.delivery(deliveryId);
    return stored?.isOpen === true ? stored : undefined;
  }

  /** A delivery with other parcels: what was agreed before is not any more. */
  function withParcels(stored: StoredDelivery, list: DeliveredParcel[], change: Partial<StoredDelivery> = {}): StoredDelivery {
    const delivery = { ...stored.delivery, parcels: list, storeCode: "", listHash: "" };
    return { ...stored, ...change, delivery: { ...delivery, ...change.delivery }, list: "", siteStatement: "" };
  }

  function scannedAs({ delivery }: StoredDelivery, label: string): DeliveredParcel | undefined {
    return delivery.parcels.find(
      (parcel) => isSame(parcel.label, label) || (parcel.reservationId !== "" && isSame(parcel.reservationId, label)),
    );
  }

  /** The other deliveries under way that have a parcel on their lists: begun on a tablet that was lost, or scanned there before by mistake. */
  function othersWith({ delivery: { deliveryId } }: StoredDelivery, reservationId: string): StoredDelivery[] {
    return counter
      .openDeliveries()
      .filter(
        ({ delivery }) => delivery.deliveryId !== deliveryId && delivery.parcels.some((parcel) => parcel.reservationId === reservationId),
      );
  }

  /** Takes a parcel off the lists of other deliveries, since it is in hand here. */
  function takeOff(stored: StoredDelivery, reservationId: string): void {
    for (const other of othersWith(stored, reservationId)) {
      const [own, left] = [true, false].map((isOwn) =>
        other.delivery.parcels.filter((one) => (one.reservationId === reservationId) === isOwn),
      );
      for (const { shelfPlace } of own ?? []) {
        if (other.delivery.direction === Direction.IN && shelfPlace !== "") counter.setOccupied(shelfPlace, false);
      }
      counter.saveDelivery(withParcels(other, left ?? []));
    }
  }

  /** Whether a parcel came by its own code, so that it is the store's already. */
  const hasCome = ({ delivery }: StoredDelivery, { reservationId }: DeliveredParcel) =>
    delivery.direction === Direction.IN && reservationId !== "" && parcels.placeOf(reservationId) !== undefined;

  function byLabel(stored: StoredDelivery, before: DeliveredParcel | undefined, scan: ScanParcel, unknownAs: Refusal): Found {
    const { condition, refusalReason, photoId, label } = scan;
    const isIn = stored.delivery.direction === Direction.IN;
    const others = new Set(stored.delivery.parcels.filter((one) => one !== before).map(({ reservationId }) => reservationId));
    const [reservationId = ""] = (isIn ? parcels.expectedWith(label) : parcels.awaitedWith(label)).filter((one) => !others.has(one));
    const facts = { condition: condition || Condition.GOOD, refusalReason, photoId, label: label.trim() };
    // Its courier may have signed that list already.
    if (reservationId !== "" && othersWith(stored, reservationId).some(({ list }) => list !== "")) return { refusal: EntryRefusal.IN_USE };
    if (reservationId === "") {
      // What nobody announced is on the list only as refused.
      const isKnown = parcels.withLabel(label).length > 0;
      if (isKnown) return { refusal: EntryRefusal.IN_USE };
      if (condition !== Condition.REFUSED) return { refusal: unknownAs };
      return { parcel: create(DeliveredParcelSchema, facts), courierId: "", courierName: "" };
    }
    const { courierId, courierName, sizeClassId } = parcels.facts(reservationId);
    // One list is one courier's.
    if (stored.courierId !== "" && courierId !== "" && courierId !== stored.courierId) return { refusal: EntryRefusal.NOT_ANNOUNCED };
    const parcel = create(DeliveredParcelSchema, { ...facts, reservationId, sizeClassId });
    if (condition === Condition.REFUSED) return { parcel, courierId, courierName };
    const place = isIn ? placeFor(reservationId, before, scan) : parcels.placeOf(reservationId);
    return place === undefined ? { refusal: EntryRefusal.NO_PLACE } : { parcel: { ...parcel, shelfPlace: place }, courierId, courierName };
  }

  function placeFor(reservationId: string, before: DeliveredParcel | undefined, { shelfPlace }: ScanParcel): string | undefined {
    if (before !== undefined && before.shelfPlace !== "" && (shelfPlace === "" || shelfPlace === before.shelfPlace))
      return before.shelfPlace;
    if (shelfPlace === "") return parcels.suggestPlace(reservationId);
    return parcels.isFree(shelfPlace) ? shelfPlace : undefined;
  }

  /** Learns from a place that the clerk named. */
  function learn({ reservationId, sizeClassId, shelfPlace }: DeliveredParcel, before: DeliveredParcel | undefined, scan: ScanParcel): void {
    const suggested = before?.shelfPlace || (parcels.suggestPlace(reservationId) ?? "");
    const isOwnChoice = scan.shelfPlace !== "" && shelfPlace === scan.shelfPlace && shelfPlace !== suggested;
    if (isOwnChoice && order.sizeOf(shelfPlace) === sizeClassId) order.chosen(shelfPlace, suggested);
  }

  function scanLabel(made: Made, stored: StoredDelivery, scan: ScanParcel, unknownAs: Refusal): EntryResult {
    const before = scannedAs(stored, scan.label);
    if (before !== undefined && hasCome(stored, before)) {
      if (scan.condition === Condition.REFUSED) return refused(made, EntryRefusal.IN_USE);
      return store.transaction(() => done(made, replaced(stored, before, { ...before, condition: scan.condition || Condition.GOOD })));
    }
    const found = byLabel(stored, before, scan, unknownAs);
    if ("refusal" in found) return refused(made, found.refusal);
    const { parcel, courierId, courierName } = found;
    return store.transaction(() => {
      if (parcel.reservationId !== "") {
        parcels.keepFacts(parcel.reservationId, desk.nowMs());
        takeOff(stored, parcel.reservationId);
      }
      if (stored.delivery.direction === Direction.IN) {
        learn(parcel, before, scan);
        if (before !== undefined && before.shelfPlace !== "") counter.setOccupied(before.shelfPlace, false);
        if (parcel.shelfPlace !== "") counter.setOccupied(parcel.shelfPlace, true);
      }
      return done(made, withCourier(replaced(stored, before, parcel), courierId, courierName));
    });
  }

  return {
    begin(made, { deliveryId, direction }) {
      if (counter.delivery(deliveryId) !== undefined) return refused(made, EntryRefusal.OVER);
      const { tabletId, clerkId } = made;
      const beganAt = timestampFromMs(desk.nowMs());
      const delivery = create(DeliverySchema, { deliveryId, direction, tabletId, clerkId, beganAt });
      return store.transaction(() => done(made, { isOpen: true, delivery, courierId: "", list: "", siteStatement: "", courierCode: "" }));
    },
    async ask(scan) {
      const stored = under(scan.deliveryId);
      const isKnown = stored !== undefined && (parcels.withLabel(scan.label).length > 0 || scannedAs(stored, scan.label) !== undefined);
      const notAnnounced = { refusal: EntryRefusal.NOT_ANNOUNCED, otherSiteNames: [] };
      if (stored === undefined || isKnown || isDepositCode(scan)) return notAnnounced;
      const code = canonicalLabelCode(scan.label);
      // No announced label is such a text.
      if (!/^[!-~]{1,64}$/.test(code)) return notAnnounced;
      return refusalOf(await desk.resolveCode(code));
    },
    async scan(made, scan, unknownAs) {
      const stored = under(scan.deliveryId);
      if (stored === undefined) return refused(made, EntryRefusal.OVER);
      if (!isDepositCode(scan) || stored.delivery.direction === Direction.OUT) return scanLabel(made, stored, scan, unknownAs);
      // Nothing of what is not taken is judged or spent.
      if (scan.condition === Condition.REFUSED) return scanLabel(made, stored, { ...scan, label: scan.label.slice(-12) }, unknownAs);
      return await takeByCode(made, scan.label, (reservationId, shelfPlace) => {
        const { courierId, courierName, sizeClassId } = parcels.facts(reservationId);
        const { condition, photoId } = scan;
        const facts = { condition: condition || Condition.GOOD, photoId, sizeClassId, reservationId, shelfPlace };
        const parcel = create(DeliveredParcelSchema, { ...facts, label: reservationId.slice(-6) });
        return done(made, withCourier(replaced(stored, undefined, parcel), courierId, courierName));
      });
    },
    unscan(made, { deliveryId, label }) {
      const stored = under(deliveryId);
      const before = stored && scannedAs(stored, label);
      if (stored === undefined || before === undefined) return refused(made, EntryRefusal.OVER);
      if (hasCome(stored, before)) return refused(made, EntryRefusal.IN_USE);
      return store.transaction(() => {
        if (stored.delivery.direction === Direction.IN && before.shelfPlace !== "") counter.setOccupied(before.shelfPlace, false);
        return done(
          made,
          withParcels(
            stored,
            stored.delivery.parcels.filter((parcel) => parcel !== before),
          ),
        );
      });
    },
    async agree(made, { deliveryId, count }) {
      const stored = under(deliveryId);
      if (stored === undefined) return refused(made, EntryRefusal.OVER);
      if (count !== stored.delivery.parcels.filter(isTaken).length) return refused(made, EntryRefusal.COUNT_DIFFERS);
      const agreed = await lists.agree(stored);
      return store.transaction(() => done(made, agreed));
    },
    async close(made, { deliveryId, courierCode }) {
      const stored = under(deliveryId);
      if (stored === undefined) return refused(made, EntryRefusal.OVER);
      return await lists.close(made, stored, courierCode, (closed) => done(made, closed));
    },
    open: () => counter.openDeliveries().map(shown),
  };

  function replaced(stored: StoredDelivery, before: DeliveredParcel | undefined, parcel: DeliveredParcel): StoredDelivery {
    const { parcels: all } = stored.delivery;
    return withParcels(stored, before === undefined ? [...all, parcel] : all.map((one) => (one === before ? parcel : one)));
  }

  function withCourier(stored: StoredDelivery, courierId: string, courierName: string): StoredDelivery {
    if (stored.courierId !== "" || courierId === "") return stored;
    return { ...stored, courierId, delivery: { ...stored.delivery, courierName } };
  }
}
