import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Clerk as ClerkMessage,
  ClerkRole,
  ClerkSchema,
  type Counter as CounterMessage,
  CounterSchema,
  type Entry,
  EntryRefusal,
  type EntryResult,
  type Parcel,
  ParcelPlace,
  type Takes,
  TakesSchema,
} from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { ReportKey } from "../door/report-signer.ts";
import { createSerialQueue } from "../door/serial-queue.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";
import { type After, afterByTimer } from "../timer.ts";
import type { Clerk, Clerks } from "./clerks.ts";
import { createDeliveries } from "./deliveries.ts";
import { createDeliveryLists } from "./delivery-lists.ts";
import { type Made, NotWrittenError, type Refusal, refused } from "./entry.ts";
import { createHandOvers } from "./hand-overs.ts";
import { setIntake, takenUp } from "./intake.ts";
import { leaseMaterial } from "./lease-material.ts";
import { createLeases, type Leases } from "./leases.ts";
import { monthOf } from "./month.ts";
import { createParcels } from "./parcels.ts";
import { createPlaceOrder } from "./place-order.ts";
import { placeParcel } from "./placing.ts";
import { createSessions, type Session, type Sessions } from "./sessions.ts";
import type { Shelf } from "./shelf.ts";
import { createShifts } from "./shifts.ts";
import { createTakeByCode } from "./take-by-code.ts";

/** A store's counter: what its clerks see and do. */
export interface Counter {
  readonly sessions: Sessions;
  /** Whether the agent decides about codes, or a tablet may. */
  readonly leases: Pick<Leases, "take" | "giveBack">;
  /** Takes entries in their order, each once. Throws a NotWrittenError where the disk does not take one; those before it were taken. */
  submit(session: Session, entries: readonly Entry[]): Promise<EntryResult[]>;
  /** What the screens show. @param session undefined: only what a locked screen may show */
  view(session: Session | undefined): CounterMessage;
  /** All parcels, with the version of the list. */
  /** Keeps a photo. Returns until when, in ms; undefined: there are too many. */
  putPhoto(photoId: string, jpeg: Uint8Array): number | undefined;
  /** A photo that is still kept. */
  photo(photoId: string): Uint8Array | undefined;
  parcels(): { readonly version: bigint; readonly parcels: readonly Parcel[] };
  /** Calls a listener after something was done at the counter. Returns a function that removes it. */
  onChange(listener: () => void): () => void;
}

/** How long photos of parcels are kept. */
const photosKeptDays = 30;

/** Makes the counter of a running agent. @param elapsedMs a clock that only goes on, in ms @param after default: the process's timers */
export function createCounter(options: {
  desk: Desk;
  store: AgentStore;
  shelf: Shelf;
  siteId: string;
  /** The agent's key, with which the store signs the lists of deliveries. Undefined: there are no lists. */
  key?: ReportKey | undefined;
  clerks: Clerks;
  logger: AgentLogger;
  elapsedMs?: () => number;
  after?: After;
}): Counter {
  const { desk, store, shelf, siteId, key, clerks, logger, elapsedMs = () => performance.now(), after = afterByTimer } = options;
  const order = createPlaceOrder(store, shelf);
  const parcels = createParcels(store, shelf, order);
  const material = () => leaseMaterial({ desk, store, parcels });
  const leases = createLeases({ desk, store, material, elapsedMs, after, onChange: changed });
  const handOvers = createHandOvers({ desk, store, shelf, parcels, order, leases });
  const lists = createDeliveryLists({ desk, store, parcels, siteId, key });
  const deliveries = createDeliveries({
    desk,
    store,
    parcels,
    lists,
    order,
    takeByCode: createTakeByCode({ desk, store, shelf, parcels, order }),
  });
  const shifts = createShifts({ desk, store, parcels });
  const enqueue = createSerialQueue();
  const listeners = new Set<() => void>();
  const sessions = createSessions({ records: store.counter, clerks, nowMs: desk.nowMs, elapsedMs });
  /** The list of parcels that was shown last. Its versions begin at the time of the start, so that they rise over restarts. */
  let listed = { text: "", version: BigInt(desk.nowMs()) };

  function changed(): void {
    for (const listener of listeners) listener();
  }

  // Nobody can look into the place of a missing parcel but a clerk, who has said that it is not there.
  desk.onAgreed(() => {
    const free = async () => {
      const places = parcels.resolved();
      for (const placeId of places) await desk.markChecked(placeId);
      if (places.length > 0) changed();
    };
    enqueue(free).catch((error: unknown) => logger.warn({ err: error }, "the place of a missing parcel could not be used again"));
  });

  async function take(made: Made, { action }: Entry, unknownAs: Refusal): Promise<EntryResult> {
    switch (action.case) {
      case "showCode":
        return await handOvers.show(made, action.value);
      case "moveParcel":
        return await handOvers.move(made, action.value);
      case "endHandOver":
        return await handOvers.end(made, action.value);
      case "beginDelivery":
        return deliveries.begin(made, action.value);
      case "scanParcel":
        return await deliveries.scan(made, action.value, unknownAs);
      case "unscanParcel":
        return deliveries.unscan(made, action.value);
      case "agreeCount":
        return await deliveries.agree(made, action.value);
      case "closeDelivery":
        return await deliveries.close(made, action.value);
      case "placeParcel":
        return placeParcel({ desk, store, parcels, order }, made, action.value);
      case "setIntake":
        return setIntake({ desk, store, shelf, all: parcels.list() }, made, action.value);
      case "beginShift":
        return shifts.begin(made);
      case "endShift":
        return shifts.end(made, action.value);
      case "takeBackLease":
        return leases.takeBack(made, action.value);
      default:
        return refused(made, EntryRefusal.OUT_OF_ORDER);
    }
  }

  /** Takes an entry, or says what came of it before. What could not be written down was not done, and may be sent again. */
  async function takeOnce({ clerk, tabletId }: Session, entry: Entry, unknownAs: Refusal): Promise<EntryResult> {
    const before = store.counter.result(entry.entryId);
    if (before !== undefined) return before;
    // The tablet says who it was; of somebody who is no clerk here, the one who sends it answers for it.
    const { clerkId, isOwner } = clerks.all().find((one) => one.clerkId === entry.clerkId) ?? clerk;
    const atMs = entry.madeAt === undefined ? desk.nowMs() : timestampMs(entry.madeAt);
    const made = { entryId: entry.entryId, tabletId, clerkId, isOwner, atMs };
    try {
      const outcome = await take(made, entry, unknownAs);
      if (outcome.refusal !== EntryRefusal.OUT_OF_ORDER && store.counter.result(entry.entryId) === undefined)
        store.counter.saveResult(outcome, desk.nowMs());
      return outcome;
    } catch (error) {
      if (!isStorageError(error)) throw error;
      logger.error({ err: error }, "the disk is full or broken: nothing is done at the counter");
      // Who shows a code has it in hand, and shows it again. All else has happened.
      if (entry.action.case === "showCode" && entry.action.value.decided === undefined) return refused(made, EntryRefusal.OUT_OF_ORDER);
      throw new NotWrittenError("the disk is full or broken: what was done stays on the tablet");
    }
  }

  /** Asks the gateway about a scanned label that nobody announced. Returns why it is not taken if nothing is known of it afterwards. */
  async function askFirst({ entryId, action }: Entry): Promise<Refusal> {
    const notAnnounced = { refusal: EntryRefusal.NOT_ANNOUNCED, otherSiteNames: [] };
    if (action.case !== "scanParcel" || store.counter.result(entryId) !== undefined) return notAnnounced;
    return await deliveries.ask(action.value);
  }

  function list(): { version: bigint; parcels: Parcel[] } {
    const all = parcels.list();
    const text = JSON.stringify(all, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    if (text !== listed.text) listed = { text, version: listed.version + 1n };
    return { version: listed.version, parcels: all };
  }

  function takes(all: readonly Parcel[]): Takes[] {
    const places = shelf.compartments();
    const isFree = (placeId: string) => {
      const { condition, reservationId } = store.compartment(placeId);
      return condition === "OK" && reservationId === "" && !store.counter.isOccupied(placeId);
    };
    return (store.site()?.sizeClasses ?? []).map(({ sizeClassId }) => {
      const own = places.filter((place) => place.sizeClassId === sizeClassId);
      const free = own.filter((place) => isFree(place.compartmentId)).length;
      const inService = desk.intake().inService.get(sizeClassId) ?? own.length;
      return create(TakesSchema, { sizeClassId, free, more: Math.max(0, inService - takenUp(sizeClassId, shelf, store, all)) });
    });
  }

  return {
    sessions,
    leases,
    async submit(session, entries) {
      const results: EntryResult[] = [];
      try {
        for (const entry of entries) {
          // Nobody else waits while the gateway is asked.
          const unknownAs = await askFirst(entry);
          const isNew = store.counter.result(entry.entryId) === undefined;
          using right = isNew ? await leases.right(session.tabletId, entry) : undefined;
          if (isNew && right === undefined) results.push(refused(entry, EntryRefusal.LEASE_AWAY));
          else results.push(await enqueue(() => takeOnce(session, entry, unknownAs)));
        }
        return results;
      } finally {
        changed();
      }
    },
    view(session) {
      const site = store.site();
      const locked = {
        siteId: site?.siteId ?? "",
        name: site?.name ?? "",
        timeZone: site?.timeZone ?? "",
        clerks: clerks.all().map(messageOf),
        now: timestampFromMs(desk.nowMs()),
      };
      if (session === undefined) return create(CounterSchema, locked);
      const { version, parcels: all } = list();
      const count = (...places: ParcelPlace[]) => all.filter(({ place }) => places.includes(place)).length;
      const { isOnline, lastContactMs } = desk.link();
      const intake = desk.intake();
      const shift = store.counter.shift(session.clerk.clerkId);
      const month = monthOf(site, desk.nowMs());
      const lease = leases.shown();
      return create(CounterSchema, {
        ...locked,
        clerk: messageOf(session.clerk),
        link: {
          isOnline,
          waiting: store.outbox.lastSequence() - store.outbox.acknowledgedSequence(),
          ...(lastContactMs !== undefined && { lastContactAt: timestampFromMs(lastContactMs) }),
        },
        onShelf: count(ParcelPlace.ON_SHELF, ParcelPlace.FOR_COURIER),
        forCourier: count(ParcelPlace.FOR_COURIER),
        expected: count(ParcelPlace.EXPECTED),
        takes: takes(all),
        parcelsVersion: version,
        handOvers: handOvers.open(),
        deliveries: deliveries.open(),
        intakePaused: intake.paused,
        ...(intake.paused && intake.pausedUntilMs !== undefined && { pausedUntil: timestampFromMs(intake.pausedUntilMs) }),
        ...(shift && { shift }),
        ...(session.clerk.isOwner && { month: { month, ...store.counter.month(month) } }),
        photosKeptDays,
        ...(lease && { lease }),
        otherTablets: store.counter.otherTablets(session.tabletId, desk.nowMs()),
      });
    },
    putPhoto(photoId, jpeg) {
      const nowMs = desk.nowMs();
      store.counter.forgetPhotos(nowMs);
      return store.counter.savePhoto(photoId, jpeg, nowMs + photosKeptDays * 24 * 3_600_000);
    },
    photo: (photoId) => store.counter.photo(photoId, desk.nowMs()),
    parcels: list,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function messageOf({ clerkId, name, isOwner }: Clerk): ClerkMessage {
  return create(ClerkSchema, { clerkId, name, role: isOwner ? ClerkRole.OWNER : ClerkRole.CLERK });
}
