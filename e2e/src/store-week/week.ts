import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, CancellationReason, type Money, MoneySchema, ParcelRequirement, Purpose, reasonOf } from "@petak/protocol";
import { EntryRefusal, type EntryResult } from "@petak/protocol/counter";
import type { Random } from "@petak/testkit";
import { nameOf } from "../life/life-world.ts";
import { parcels as measures, minuteMs } from "../offline/offline-network.ts";
import { type StoreNetwork, tabletFor } from "./store-network.ts";
import type { Action, Tablet } from "./tablet.ts";
import type { Parcel, Shop, Truth, Visit, Waiting } from "./truth.ts";

/** What an entry is about. */
export interface About {
  /** Those whose record it changes. */
  parcels?: readonly Parcel[];
  /** Called with its answer, now or later. `record` notes what it says of a parcel, unless a later entry has said more. */
  onAnswer?: (result: EntryResult, record: (parcel: Parcel, change: Partial<Parcel>) => void) => void;
  /** Called if it is lost with its tablet. */
  onLost?: () => void;
}

/** A week of two stores: what happens, and what of it is true. */
export class Week {
  readonly truth: Truth = { parcels: [], counts: [], visits: [], waiting: new Set(), tills: new Map(), faults: [] };
  /** What happened, for whoever looks for the reason of a failure. */
  readonly said: string[] = [];
  readonly around: StoreNetwork;
  readonly random: Random;
  #labels = 0;
  #at = 0;

  constructor(around: StoreNetwork, random: Random) {
    this.around = around;
    this.random = random;
  }

  /** A number for something that happens now, larger than all before. */
  next(): number {
    this.#at += 1;
    return this.#at;
  }

  say(what: string, shop?: Shop): void {
    const at = shop === undefined ? "" : ` at ${shop.name}`;
    this.said.push(`${new Date(this.around.clock.now()).toISOString().slice(8, 19)} ${what}${at}`);
  }

  fault(what: string): void {
    this.say(`FAULT: ${what}`);
    this.truth.faults.push(what);
  }

  /** Does something as a clerk, and remembers that it has no answer until it has one. */
  async does(
    tablet: Tablet,
    clerkId: string,
    action: Action,
    { parcels = [], onAnswer, onLost }: About = {},
  ): Promise<{ entryId: string; result: EntryResult | undefined; withdraw: () => Promise<boolean> }> {
    const waiting: Waiting = { tablet, action, parcels, onLost };
    const touch = () => {
      for (const parcel of parcels) parcel.touchedAt = this.next();
    };
    const record = (parcel: Parcel, change: Partial<Parcel>) => {
      if (madeAt > parcel.recordedAt) Object.assign(parcel, change, { recordedAt: madeAt });
    };
    this.truth.waiting.add(waiting);
    touch();
    const madeAt = this.next();
    const done = await tablet.does(clerkId, action, (result) => {
      this.truth.waiting.delete(waiting);
      onAnswer?.(result, record);
      touch();
    });
    return {
      ...done,
      withdraw: async () => {
        const isBack = await tablet.withdraw(done.entryId);
        if (isBack) this.truth.waiting.delete(waiting);
        return isBack;
      },
    };
  }

  /** Whether the store's record of a parcel is known from its answers. */
  isCertain(parcel: Parcel, since = Number.POSITIVE_INFINITY): boolean {
    if (parcel.isLoose || parcel.touchedAt > since) return false;
    return ![...this.truth.waiting].some(({ parcels }) => parcels.includes(parcel));
  }

  clerk(shop: Shop): string {
    return this.random.pick(shop.store.clerks).clerkId;
  }

  parcelsAt(shop: Shop): Parcel[] {
    return this.truth.parcels.filter((parcel) => parcel.shop === shop);
  }

  openVisits(shop: Shop): Visit[] {
    return this.truth.visits.filter((visit) => visit.shop === shop && !visit.isOver);
  }

  async reserve(shop: Shop): Promise<void> {
    const { random } = this;
    const driver = random.pick(this.around.drivers);
    const sizeClassId = random.pick(["S", "S", "L"] as const);
    const purpose = random.bool(0.15) ? Purpose.RETURN : Purpose.DELIVERY;
    const cash = purpose === Purpose.DELIVERY && random.bool(0.25) ? random.int(1, 40) : 0;
    this.#labels += 1;
    const label = `P${this.#labels}`;
    const asked = { requirements: [ParcelRequirement.CASH_ON_DELIVERY], cashDue: money(cash) };
    const { reservations } = driver.courier.client;
    try {
      const { reservation } = await reservations.reserve({
        requestId: randomUUID(),
        place: { case: "siteId", value: shop.store.siteId },
        purpose,
        parcel: { ...measures[sizeClassId], labelCodes: [label], ...(cash > 0 && asked) },
      });
      const reservationId = reservation?.reservationId ?? "";
      await reservations.confirm({
        requestId: randomUUID(),
        reservationId,
        depositWithin: { seconds: BigInt(random.int(4, 48) * 3600) },
      });
      const parcel: Parcel = {
        ...{ reservationId, label, shop, driver, purpose, cash, codes: [], where: "outside" },
        sizeClassId: reservation?.sizeClassId ?? "",
        ...{ isRecorded: false, isLoose: false, isMissed: false, touchedAt: 0, recordedAt: 0, isCancelled: false },
      };
      this.truth.parcels.push(parcel);
      this.say(`${label} is announced`, shop);
      await this.issue(parcel, purpose === Purpose.DELIVERY ? Act.COLLECT : Act.DEPOSIT);
    } catch (error) {
      this.say(`a reservation is refused: ${reasonOf(error) ?? String(error)}`, shop);
      if (!["NO_PLACE_FREE", "SITE_INTAKE_PAUSED"].includes(reasonOf(error) ?? "")) throw error;
    }
  }

  /** Issues a code. Some are refused, since their time is over. */
  async issue(parcel: Parcel, act: Act): Promise<void> {
    const request = {
      requestId: randomUUID(),
      reservationId: parcel.reservationId,
      act,
      withPin: act === Act.COLLECT && this.random.bool(0.4),
    };
    const issued = await parcel.driver.courier.client.reservations.issueCredential(request).catch((error: unknown) => {
      if (reasonOf(error) === undefined) throw error;
      return undefined;
    });
    if (issued === undefined) return this.say(`no code for ${nameOf(Act, act)} of ${parcel.label}`, parcel.shop);
    for (const text of [issued.accessToken, issued.pin])
      if (text !== "") parcel.codes.push({ parcel, act, text, begun: new Set(), moved: 0 });
  }

  async cancel(shop: Shop): Promise<void> {
    const meant = this.parcelsAt(shop).filter(({ where, isCancelled }) => where === "outside" && !isCancelled);
    if (meant.length === 0) return;
    const parcel = this.random.pick(meant);
    const request = { requestId: randomUUID(), reservationId: parcel.reservationId, reason: CancellationReason.OTHER };
    const refused = await parcel.driver.courier.client.reservations.cancel(request).then(
      () => "done",
      (error: unknown) => reasonOf(error) ?? String(error),
    );
    // Some drivers do not hear of it.
    parcel.isCancelled = this.random.bool(0.6);
    this.say(`${parcel.label} is cancelled: ${refused}`, shop);
  }

  /** A tablet breaks, and with it what it had not sent. A new one takes its place. */
  async loseTablet(shop: Shop): Promise<void> {
    const index = this.random.int(0, shop.tablets.length - 1);
    const lost = shop.tablets[index];
    shop.tablets[index] = await tabletFor(this.around, shop.store, this.random);
    for (const entry of this.truth.waiting) {
      if (entry.tablet !== lost) continue;
      this.truth.waiting.delete(entry);
      for (const parcel of entry.parcels) parcel.isLoose = true;
      entry.onLost?.();
    }
    this.say(`a tablet with ${lost?.waiting ?? 0} entries is lost`, shop);
  }

  till(shop: Shop, clerkId: string) {
    const key = `${shop.name} ${clerkId}`;
    const till = this.truth.tills.get(key) ?? { cash: 0, waiting: 0, isLoose: false, touchedAt: 0 };
    this.truth.tills.set(key, till);
    return till;
  }

  async setIntake(shop: Shop): Promise<void> {
    const { random } = this;
    const limits = random.bool(0.5) ? [{ sizeClassId: random.pick(["S", "L"]), more: random.int(0, 3) }] : [];
    const pausedUntil = timestampFromMs(this.around.clock.now() + random.int(10, 90) * minuteMs);
    const value = { isPaused: random.bool(0.3), pausedUntil, limits };
    const { result } = await this.does(random.pick(shop.tablets), this.clerk(shop), { case: "setIntake", value });
    this.say(value.isPaused ? "intake is paused" : `intake has ${limits.length} limits`, shop);
    if (result !== undefined && result.refusal !== EntryRefusal.UNSPECIFIED) this.fault(`intake is refused: ${result.refusal}`);
  }

  async passSome(): Promise<void> {
    await this.around.pass(this.random.int(1, 20) * minuteMs);
  }
}

/** Singapore dollars. */
export function money(units: number): Money {
  return create(MoneySchema, { currencyCode: "SGD", units: BigInt(units), nanos: 0 });
}
