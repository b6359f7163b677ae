import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import { participantParty, reservationEvent, transitionTo } from "@petak/lifecycle";
import { EventSchema, EventType, HoldKind, PartyKind, type Reservation, ReservationSchema, ReservationState } from "@petak/protocol";
import { createKeys, type Keys, type RedisConnection } from "@petak/redis";
import { createFrozenClock, type FrozenClock, makeSite, moveServerClock, type TestRedis, testStoreCode } from "@petak/testkit";
import { firstEntry } from "../../encoding/stream-entry.ts";
import { createRecords, type Records, type RecordsWithArchive } from "../../records.ts";
import type { StoredTransition } from "../../reservations/reservation-store.ts";
import { requireIdentity } from "../archive-identity.ts";
import { type Archiver, type ArchiverOptions, createArchiver } from "../archiver.ts";
import { createFeedArchive } from "../feed-archive.ts";
import { type ArchiveFiles, diskFiles } from "../files/archive-files.ts";
import { type ArchiveLayout, createLayout, dayMs } from "../files/archive-layout.ts";
import { createArchiveReader } from "../files/archive-reader.ts";
import { withArchive } from "../reservation-archive.ts";

const origin = { latitude: 1.3, longitude: 103.8 };

/** The region of these tests. */
export const region = regionOfCell(indexCellOf(quantise(origin)));

/** The participant that makes the reservations. */
export const courier = { participantId: "par_0000000000000002" } as const;

const S = ReservationState;

/** Everything that archiving must not change: the bytes of each reservation and its chain, and of the events in order. */
export interface Content {
  reservations: Record<string, string>;
  chains: Record<string, string[]>;
  events: string[];
}

/** Records of one region, and the directory of their archive. */
export interface ArchiveWorld {
  readonly clock: FrozenClock;
  readonly prefix: string;
  readonly keys: Keys;
  readonly layout: ArchiveLayout;
  /** The records without the archive. */
  readonly records: Records;
  /** The ids of all reservations. */
  readonly ids: readonly string[];
  /** Advances the clocks of the gateways and of the server. */
  pass(ms: number): Promise<void>;
  /** Makes a reservation and applies transitions to it. */
  live(states: readonly ReservationState[], change?: Partial<StoredTransition>): Promise<Reservation>;
  /** Applies a transition, over the records with the archive. */
  transition(before: Reservation, state: ReservationState, change?: Partial<StoredTransition>): Promise<Reservation>;
  /** The same records over another connection. */
  over(connection: RedisConnection): Records;
  archiver(options?: Partial<ArchiverOptions>, connection?: RedisConnection): Archiver;
  /** The records with the archive. */
  reading(files?: ArchiveFiles): RecordsWithArchive;
  /** Reads all reservations, chains and events. */
  readContent(records?: Records): Promise<Content>;
}

/** The retention of these tests, in ms: two days. */
export const retentionMs = 2 * dayMs;

/** Creates the records under a test's prefix. */
export async function openArchiveWorld(
  redis: Pick<TestRedis, "client" | "keyPrefix">,
  connection: RedisConnection,
  directory: string,
): Promise<ArchiveWorld> {
  // Events are dated by the server's clock, so the frozen clock starts at its time.
  const clock = createFrozenClock(Date.now());
  const prefix = `${redis.keyPrefix}petak`;
  const records = createRecords({ redis: connection, storeCode: testStoreCode, prefix });
  const layout = createLayout(directory, "petak");
  const site = makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 10_000]] });
  const { siteId } = await records.sites.put(site, 0);
  const cell = indexCellOf(quantise(origin));
  const ids: string[] = [];

  async function hold(): Promise<Reservation> {
    const at = timestampFromMs(clock.now());
    const reservation = create(ReservationSchema, {
      participantId: courier.participantId,
      state: S.HELD,
      holdKind: HoldKind.SOFT,
      depositor: participantParty(courier),
      collector: { kind: PartyKind.CONSUMER },
      partnerReference: `order ${ids.length} "${"€".repeat(ids.length % 5)}"`,
      isTest: true,
      revision: 1,
      createdAt: at,
      updatedAt: at,
      holdExpiresAt: timestampFromMs(clock.now() + 900_000),
    });
    const candidate = {
      siteId,
      region,
      siteNumber: 1,
      operatorId: site.operatorId,
      revision: 1,
      cell,
      offset: -1,
      classes: [{ index: 0, sizeClassId: "M" }],
    };
    const outcome = await records.holds.take(
      {
        participantId: courier.participantId,
        requestId: randomUUID(),
        fingerprint: Buffer.alloc(16),
        isBound: false,
        homeRegion: region,
        reservation,
        deadlineMs: clock.now() + 900_000,
        event: (reservationId) =>
          reservationEvent({
            type: EventType.RESERVATION_HELD,
            reservation,
            reservationId,
            stateBefore: S.UNSPECIFIED,
            actor: participantParty(courier),
            occurredAtMs: clock.now(),
          }),
      },
      [candidate],
      async () => candidate,
    );
    if (outcome.tag !== "held") throw new Error(`a hold returned ${outcome.tag}`);
    ids.push(outcome.reservation.reservationId);
    return outcome.reservation;
  }

  function reading(files: ArchiveFiles = diskFiles): RecordsWithArchive {
    return withArchive({
      records: records,
      reader: createArchiveReader(files, layout),
      feeds: createFeedArchive(files, layout),
      requireIdentity: () => requireIdentity(files, layout, records.archive),
      now: clock.now,
      onFailure: () => undefined,
    });
  }

  async function transition(before: Reservation, state: ReservationState, change: Partial<StoredTransition> = {}): Promise<Reservation> {
    const planned = transitionTo(before, { state }, { actor: participantParty(courier) }, clock.now());
    const place = { movedAtMs: clock.now(), deadlineMs: null };
    const outcome = await reading().reservations.apply({ ...planned, ...place, ...change });
    if (outcome.tag !== "done") throw new Error(`a transition returned ${outcome.tag}`);
    return planned.after;
  }

  return {
    clock,
    prefix,
    keys: createKeys(prefix),
    layout,
    records,
    ids,
    transition,
    reading,
    over: (other) => createRecords({ redis: other, storeCode: testStoreCode, prefix }),
    async pass(ms) {
      clock.advance(ms);
      await moveServerClock(redis.client, redis.keyPrefix, { byMs: ms, nowMs: clock.now() });
    },
    async live(states, change = {}) {
      let reservation = await hold();
      for (const [index, state] of states.entries()) {
        reservation = await transition(reservation, state, index === states.length - 1 ? change : {});
      }
      return reservation;
    },
    archiver: (options = {}, over = connection) =>
      createArchiver({
        records: over === connection ? records : createRecords({ redis: over, storeCode: testStoreCode, prefix }),
        files: diskFiles,
        layout,
        retentionMs,
        now: clock.now,
        serverTimeMs: async () => clock.now(),
        onFailure: (error) => {
          throw error;
        },
        ...options,
      }),
    async readContent(records = reading()) {
      const content: Content = { reservations: {}, chains: {}, events: [] };
      for (const id of ids) {
        const reservation = await records.reservations.find(id);
        content.reservations[id] = reservation === undefined ? "none" : hex(toBinary(ReservationSchema, reservation));
        content.chains[id] = (await records.events.chain(id)).map((event) => hex(toBinary(EventSchema, event)));
      }
      content.events = (await readOn(records, firstEntry, 37)).map(({ bytes }) => bytes);
      return content;
    },
  };
}

/** Reads all events of the region after an entry, in pages of `count`. */
export async function readOn(records: Records, entry: string, count: number): Promise<{ bytes: string; entry: string }[]> {
  const all: { bytes: string; entry: string }[] = [];
  for (let from = entry; ; ) {
    const read = await records.events.readAfter(region, from, count);
    all.push(...read.map((recorded) => ({ bytes: hex(toBinary(EventSchema, recorded.event)), entry: recorded.entry })));
    if (read.length < count) return all;
    from = read.at(-1)?.entry ?? from;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
