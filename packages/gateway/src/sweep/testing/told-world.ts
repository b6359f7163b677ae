import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import { participantParty, transitionTo } from "@petak/lifecycle";
import {
  EventSchema,
  EventType,
  HoldKind,
  ParcelSchema,
  Purpose,
  type Reservation,
  ReservationSchema,
  ReservationState,
  type Site,
  type SiteChange,
} from "@petak/protocol";
import { createRecords, type Records, type StoredSite } from "@petak/records";
import { storedCandidate } from "@petak/records/testing/candidates";
import type { RedisConnection } from "@petak/redis";
import { createFrozenClock, type FrozenClock, makeSite, testStoreCode } from "@petak/testkit";
import { tellSiteChanges } from "../tell-site-changes.ts";

const position = { latitude: 1.3, longitude: 103.8 };
const participantId = "par_0000000000000002";

/** Sites of one region, and reservations at them. */
export interface ToldWorld {
  clock: FrozenClock;
  region: string;
  steady: Records;
  recordsOver(connection: RedisConnection): Records;
  /** Tells of the changes of the region's sites. */
  tell(records?: Records): Promise<void>;
  /** A new site with many places, or as many as are given. */
  newSite(places?: number): Promise<{ site: Site; siteId: string }>;
  /** Holds a place. @param holdMs until then */
  hold(siteId: string, holdMs?: number): Promise<Reservation>;
  confirm(before: Reservation): Promise<Reservation>;
  /** The changes of which a reservation's chain tells. */
  changesTold(reservation: Reservation): Promise<SiteChange[]>;
}

/** @param prefix begins the names of all keys */
export function createToldWorld(connection: RedisConnection, prefix: string): ToldWorld {
  const clock = createFrozenClock(1_800_000_000_000);
  const region = regionOfCell(indexCellOf(quantise(position)));
  const recordsOver = (over: RedisConnection) => createRecords({ redis: over, storeCode: testStoreCode, prefix });
  const steady = recordsOver(connection);
  let sites = 0;
  return {
    clock,
    region,
    steady,
    recordsOver,
    async tell(records = steady) {
      const onError = (error: unknown) => {
        throw error;
      };
      await tellSiteChanges({ records, now: clock.now, signal: new AbortController().signal, onError }, region);
    },
    async newSite(places = 1000) {
      sites += 1;
      const site = makeSite({ ...position, ref: `site-${sites}`, classes: [["M", 400, 200, 500, 20_000, places]] });
      return { site, siteId: (await steady.sites.put(site, clock.now())).siteId };
    },
    async hold(siteId, holdMs = 900_000) {
      const at = timestampFromMs(clock.now());
      const reservation = create(ReservationSchema, {
        participantId,
        state: ReservationState.HELD,
        holdKind: HoldKind.SOFT,
        purpose: Purpose.DELIVERY,
        parcel: create(ParcelSchema, { widthMm: 10, heightMm: 10, depthMm: 10, massG: 10 }),
        isTest: true,
        revision: 1,
        createdAt: at,
        updatedAt: at,
        holdExpiresAt: timestampFromMs(clock.now() + holdMs),
      });
      const candidate = storedCandidate((await steady.sites.find(siteId)) as StoredSite, [{ index: 0, sizeClassId: "M" }]);
      const request = {
        participantId,
        requestId: randomUUID(),
        fingerprint: Buffer.alloc(16),
        isBound: false,
        homeRegion: region,
        reservation,
        deadlineMs: clock.now() + holdMs,
        event: (reservationId: string) => create(EventSchema, { reservationId, participantId, type: EventType.RESERVATION_HELD }),
      };
      const outcome = await steady.holds.take(request, [candidate], async () => candidate);
      if (outcome.tag !== "held") throw new Error(`a hold came to ${outcome.tag}`);
      return outcome.reservation;
    },
    async confirm(before) {
      const depositUntil = timestampFromMs(clock.now() + 3_600_000);
      const transition = transitionTo(
        before,
        { state: ReservationState.CONFIRMED, depositUntil },
        { actor: participantParty({ participantId }) },
        clock.now(),
      );
      await steady.reservations.apply({ ...transition, isAllowed: true });
      return transition.after;
    },
    async changesTold({ reservationId }) {
      const chain = await steady.events.chain(reservationId);
      return chain.flatMap(({ siteChange }) => (siteChange === undefined ? [] : [siteChange]));
    },
  };
}
