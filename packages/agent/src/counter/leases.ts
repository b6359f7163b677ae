import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ConditionKind } from "@petak/protocol";
import {
  Direction,
  type Entry,
  EntryRefusal,
  type EntryResult,
  type Lease,
  type LeaseMaterial,
  LeaseSchema,
  type TakeBackLease,
} from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { StoredLease } from "../store/lease-records.ts";
import type { After } from "../timer.ts";
import { type Made, refused, result } from "./entry.ts";

/** How long a lease lasts without contact, in ms. */
export const leaseMs = 2 * 3_600_000;

/** How much longer the agent waits, in ms: by so much the tablet's clock may be slower. */
const leaseMarginMs = 60_000;

/** How often a renewal is written down at most, in ms. */
export const renewalMs = 600_000;

/** How long a tablet may take to return a lease that another one wants, in ms. */
const returnsWithinMs = 3000;

/** How long a tablet is taken for present after its last call, in ms. It renews its lease every 10 s. */
const presentMs = 35_000;

/** A lease as a tablet gets it. */
export interface GivenLease {
  readonly lease: Lease;
  readonly material: LeaseMaterial;
}

/** The lease of a store's counter: whether the agent decides about codes, or a tablet may. */
export interface Leases {
  /** Gives or renews it. Undefined: another tablet has it or waits for it, or something is being decided now. */
  take(tabletId: string): GivenLease | undefined;
  giveBack(tabletId: string, leaseNumber: number): void;
  takeBack(made: Made, entry: TakeBackLease): EntryResult;
  /**
   * Lets the agent decide for a tablet until the right is disposed of; no lease is given meanwhile. If another tablet has it, that one is asked for it first. Undefined:
   * it does not answer.
   */
  right(tabletId: string, entry: Entry): Promise<Disposable | undefined>;
  /** A lease that a tablet had or has. */
  of(tabletId: string, leaseNumber: bigint): StoredLease | undefined;
  /** Who has it. */
  shown(): Lease | undefined;
}

/** Makes it. What was out when the agent stopped is out for its whole length again, since nobody knows how long that took. */
export function createLeases(options: {
  desk: Desk;
  store: AgentStore;
  material: () => LeaseMaterial;
  elapsedMs: () => number;
  after: After;
  onChange: () => void;
}): Leases {
  const { desk, store, material, elapsedMs, after, onChange } = options;
  const { counter } = store;
  /** By `elapsedMs`. */
  let endsMs = elapsedMs() + leaseMs + leaseMarginMs;
  let heardMs = Number.NEGATIVE_INFINITY;
  let deciding = 0;
  let isWanted = false;
  let isAway = false;
  const waiting = new Set<() => void>();

  /** The lease that is out. */
  function out(): StoredLease | undefined {
    const last = counter.lastLease();
    if (last?.isOut !== true) return undefined;
    if (elapsedMs() < endsMs) return last;
    settle(last);
    return undefined;
  }

  /** A lease is not out any more: whoever waits for it goes on. */
  function settle(lease: StoredLease): void {
    counter.saveLease({ ...lease, isOut: false });
    isWanted = false;
    isAway = false;
    for (const resume of waiting) resume();
    onChange();
  }

  function heard(tabletId: string): void {
    if (counter.lastLease()?.tabletId !== tabletId) return;
    heardMs = elapsedMs();
    isAway = false;
  }

  function isFrom(tabletId: string, { action }: Entry): boolean {
    const isOut = (deliveryId: string) => counter.delivery(deliveryId)?.delivery.direction === Direction.OUT;
    const isDecision =
      (action.case === "showCode" && action.value.decided === undefined) ||
      ((action.case === "scanParcel" || action.case === "closeDelivery") && isOut(action.value.deliveryId));
    return isDecision && out() !== undefined && out()?.tabletId !== tabletId;
  }

  /** Resolves when no lease is out, or after the time in which its tablet would have answered. */
  async function returned(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = after(returnsWithinMs, () => {
      isAway = out() !== undefined;
      resolve();
    });
    waiting.add(resolve);
    isWanted = true;
    onChange();
    await promise;
    waiting.delete(resolve);
    cancel();
  }

  return {
    take(tabletId) {
      heard(tabletId);
      const current = out();
      const isOther = current !== undefined && current.tabletId !== tabletId;
      if (deciding > 0 || isOther || isWanted || store.isQuarantined()) return undefined;
      const nowMs = desk.nowMs();
      const number = current?.number ?? (counter.lastLease()?.number ?? 0) + 1;
      const lease = { number, tabletId, beganAtMs: current?.beganAtMs ?? nowMs, endsAtMs: nowMs + leaseMs, isOut: true };
      // On disk before the tablet has it. After a restart it is out for its whole length, so that a renewal changes little.
      if (current === undefined || Math.abs(lease.endsAtMs - current.endsAtMs) > renewalMs) counter.saveLease(lease);
      endsMs = elapsedMs() + leaseMs + leaseMarginMs;
      heardMs = elapsedMs();
      if (current === undefined) onChange();
      return { lease: messageOf(lease), material: material() };
    },
    giveBack(tabletId, leaseNumber) {
      heard(tabletId);
      const current = out();
      if (current?.tabletId === tabletId && current.number === leaseNumber) settle(current);
    },
    takeBack(made, { leaseNumber }) {
      if (!made.isOwner) return refused(made, EntryRefusal.OWNER_ONLY);
      const current = out();
      if (current === undefined || BigInt(current.number) !== leaseNumber) return refused(made, EntryRefusal.OVER);
      store.transaction(() => {
        desk.tell(ConditionKind.LEASE_TAKEN_BACK, made.clerkId);
        counter.saveResult(result(made), desk.nowMs());
        settle(current);
      });
      return result(made);
    },
    async right(tabletId, entry) {
      heard(tabletId);
      if (isFrom(tabletId, entry)) {
        if (isAway || elapsedMs() - heardMs > presentMs) isWanted = true;
        else await returned();
        if (isFrom(tabletId, entry)) return undefined;
      }
      deciding += 1;
      return {
        [Symbol.dispose]() {
          deciding -= 1;
        },
      };
    },
    of(tabletId, leaseNumber) {
      const lease = counter.lease(Number(leaseNumber));
      return lease?.tabletId === tabletId ? lease : undefined;
    },
    shown() {
      const current = out();
      if (current === undefined) return undefined;
      const endsAtMs = desk.nowMs() + endsMs - elapsedMs();
      return { ...messageOf({ ...current, endsAtMs }), isAway: isAway || elapsedMs() - heardMs > presentMs, isWanted };
    },
  };
}

function messageOf({ number, tabletId, endsAtMs }: StoredLease): Lease {
  return create(LeaseSchema, { number: BigInt(number), tabletId, endsAt: timestampFromMs(Math.floor(endsAtMs)) });
}
