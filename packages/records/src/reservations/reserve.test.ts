import { create } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Position } from "@petak/allocator";
import { indexCellOf, regionCell, regionOfCell } from "@petak/allocator";
import {
  LiveReservations,
  ParcelSchema,
  PartyKind,
  PartySchema,
  Purpose,
  parseSiteId,
  type Region,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createRandom, makeSite, type Random, type SiteFacts, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { cellToBoundary } from "h3-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freeToPromise } from "../sites/site-counts.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import type { HoldCandidate } from "./candidates.ts";
import type { HoldOutcome } from "./reserve.ts";
import { parcel, request, reserve, resolveSite } from "./testing/holding.ts";
import { cornersNear, type RegionCorner } from "./testing/region-corner.ts";

const redis = useRedis();
let connections: RedisConnection[];
let gatewayRecords: SearchableRecords[];

beforeEach(async () => {
  connections = await Promise.all(Array.from({ length: 4 }, () => redis.connect()));
  gatewayRecords = connections.map((connection) =>
    createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
  );
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

const first = () => gatewayRecords[0] as SearchableRecords;

/** A point on the border of a region, with sites on both sides within a few hundred metres. */
function borderPoint(): Position {
  const [[latitude, longitude] = [0, 0]] = cellToBoundary(regionCell(regionOfCell(indexCellOf({ latitude: 1.3, longitude: 103.8 }))));
  return { latitude, longitude };
}

const onePlace: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, 1]];

function heldBy(outcome: HoldOutcome): Reservation {
  if (outcome.tag === "none") throw new Error("nothing was held");
  return outcome.reservation;
}

const resolve = (siteId: string) => resolveSite(first(), siteId);

function near(place: Position, spreadDeg: number, random: Random): Position {
  return {
    latitude: place.latitude + random.float(-spreadDeg, spreadDeg),
    longitude: place.longitude + random.float(-spreadDeg, spreadDeg),
  };
}

describe("holds", () => {
  it("never exceed the places and are never taken twice for one request, at the border of regions", async () => {
    const random = createRandom(testSeed());
    const border = borderPoint();
    const places = new Map<string, number>();
    for (let index = 0; index < 40; index++) {
      const installed = random.int(1, 3);
      const site = makeSite({ ...near(border, 0.02, random), ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, installed]] });
      places.set((await first().sites.put(site, 0)).siteId, installed);
    }
    expect(new Set([...places.keys()].map((siteId) => parseSiteId(siteId)?.region)).size).toBeGreaterThan(1);

    const requests = Array.from({ length: 150 }, (_, number) => ({ number, origin: near(border, 0.02, random) }));
    const held = new Map<number, Set<string>>();
    const attempts = random.shuffle(requests.flatMap((one) => Array.from({ length: random.int(1, 3) }, () => one)));
    await Promise.all(
      gatewayRecords.map(async (records, worker) => {
        for (let index = worker; index < attempts.length; index += gatewayRecords.length) {
          const { number, origin } = attempts[index] as { number: number; origin: Position };
          const outcome = await reserve(records, origin, number);
          if (outcome.tag === "none") continue;
          const ids = held.get(number) ?? new Set();
          held.set(number, ids.add(outcome.reservation.reservationId));
        }
      }),
    );

    const capacity = [...places.values()].reduce((sum, count) => sum + count, 0);
    expect([...held.values()].every((ids) => ids.size === 1)).toBe(true);
    expect(held.size).toBe(Math.min(capacity, requests.length));
    const heldAt = new Map<string, number>();
    for (const ids of held.values()) {
      for (const id of ids) {
        const reservation = await first().reservations.find(id);
        heldAt.set(reservation?.siteId ?? "", (heldAt.get(reservation?.siteId ?? "") ?? 0) + 1);
      }
    }
    for (const [siteId, installed] of places) {
      const [count] = (await first().sites.find(siteId))?.counts ?? [];
      expect(count).toEqual({ installed, inService: installed, occupied: 0, held: heldAt.get(siteId) ?? 0, occupiedByOthers: 0 });
      expect(count === undefined ? -1 : freeToPromise(count)).toBe(installed - (heldAt.get(siteId) ?? 0));
    }
    const events = await Promise.all((await first().events.regions()).map((region) => first().events.readAfter(region, "0-0", 1000)));
    expect(events.flat().length).toBe(held.size);
  });

  it("are completed by a repeated request after a crash between the plan and the hold", async () => {
    const border = borderPoint();
    const random = createRandom(testSeed());
    const siteIds: string[] = [];
    for (let index = 0; index < 12; index++) {
      siteIds.push((await first().sites.put(makeSite({ ...near(border, 0.02, random), ref: `${index}` }), 0)).siteId);
    }
    const candidates = (await Promise.all(siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
    const crash = new Error("crashed");
    const crashing = () => Promise.reject(crash);
    await expect(first().holds.take(request(border, 1), candidates, crashing)).rejects.toBe(crash);
    const [one, two] = await Promise.all([
      first().holds.take(request(border, 1), candidates.toReversed(), resolve),
      (gatewayRecords[1] as SearchableRecords).holds.take(request(border, 1), [], resolve),
    ]);
    expect(one.tag === "none" ? undefined : one.reservation.siteId).toBe(siteIds[0]);
    expect(two.tag === "none" ? undefined : two.reservation).toEqual(one.tag === "none" ? undefined : one.reservation);
  });

  it("that found their first site full are taken once if a duplicate took a place or stored a plan before they continue", async () => {
    const [corner] = cornersNear({ latitude: 1.3, longitude: 103.8 }) as [RegionCorner, ...RegionCorner[]];
    const border = corner.position;
    const home = regionOfCell(indexCellOf(border));
    const put = async (region: Region, distanceM: number) => {
      const place = { ...corner.inRegion(region, distanceM), ref: `${region} ${distanceM}` };
      const { siteId } = await first().sites.put(makeSite({ ...place, classes: onePlace }), 0);
      expect(parseSiteId(siteId)?.region).toBe(region);
      return siteId;
    };
    const [full, other, third] = [await put(home, 50), await put(home, 60), await put(home, 70)] as const;
    const abroad = await put(corner.regions.find((region) => region !== home) ?? home, 50);
    expect(parseSiteId(abroad)?.region).not.toBe(home);
    const candidateAt = async (siteId: string) => (await resolve(siteId)) as HoldCandidate;
    const seen = await candidateAt(full);
    await first().holds.take(request(border, 0), [seen], resolve);

    const beatenByPlace = request(border, 1);
    expect((await first().holds.take(beatenByPlace, [seen], resolve)).tag).toBe("none");
    const duplicate = heldBy(
      await (gatewayRecords[1] as SearchableRecords).holds.take(request(border, 1), [await candidateAt(other)], resolve),
    );
    expect(await first().holds.take(beatenByPlace, [await candidateAt(third)], resolve)).toEqual({
      tag: "repeated",
      reservation: duplicate,
    });

    const beatenByOrder = request(border, 2);
    expect((await first().holds.take(beatenByOrder, [seen], resolve)).tag).toBe("none");
    const crash = new Error("crashed");
    const order = [await candidateAt(abroad), await candidateAt(third)];
    await expect((gatewayRecords[1] as SearchableRecords).holds.take(request(border, 2), order, () => Promise.reject(crash))).rejects.toBe(
      crash,
    );
    expect(heldBy(await first().holds.take(beatenByOrder, [await candidateAt(third)], resolve)).siteId).toBe(abroad);
  });

  it("have the same response the first time and when they are repeated, also for a request with unknown fields", async () => {
    const origin = { latitude: 1.3, longitude: 103.8 };
    const { siteId } = await first().sites.put(makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 1]] }), 0);
    const wanted = request(origin, 1);
    const $unknown = [{ no: 1999, wireType: WireType.Varint, data: Uint8Array.of(1) }];
    const hold = { ...wanted, reservation: { ...wanted.reservation, $unknown, parcel: create(ParcelSchema, { ...parcel, $unknown }) } };
    const candidate = (await resolve(siteId)) as HoldCandidate;
    const outcomes = [await first().holds.take(hold, [candidate], resolve), await first().holds.take(hold, [candidate], resolve)];
    const [held, repeated] = outcomes.map((outcome) => (outcome.tag === "none" ? undefined : outcome.reservation));
    expect(held).toBeDefined();
    expect(repeated).toEqual(held);
  });

  it("are repeated with the first response, whatever has happened to the reservation since", async () => {
    const origin = { latitude: 1.3, longitude: 103.8 };
    const { siteId } = await first().sites.put(makeSite(origin), 0);
    const at = (ms: number) => timestampFromMs(1_790_000_000_000 + ms);
    const wanted = request(origin, 1);
    const depositor = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: wanted.participantId });
    const collector = create(PartySchema, { kind: PartyKind.CONSUMER });
    const hold = {
      ...wanted,
      reservation: {
        ...wanted.reservation,
        parcel: create(ParcelSchema, parcel),
        depositor,
        collector,
        createdAt: at(0),
        updatedAt: at(0),
      },
    };
    const candidate = (await resolve(siteId)) as HoldCandidate;
    const held = heldBy(await first().holds.take(hold, [candidate], resolve));
    const moved = {
      ...held,
      state: ReservationState.COLLECTED,
      revision: 2,
      updatedAt: at(1),
      depositUntil: at(2),
      collectUntil: at(3),
      depositedAt: at(4),
      collectedAt: at(5),
      recalledAt: at(6),
      compartmentId: "A1",
    };
    const place = { heldChange: -1, occupiedChange: 0 };
    await first().reservations.apply({ before: held, after: moved, ...place, events: [] });
    expect(await first().reservations.find(held.reservationId)).toEqual(moved);
    expect(heldBy(await first().holds.take(hold, [candidate], resolve))).toEqual(held);
    expect(heldBy(await first().holds.take(hold, [], resolve))).toEqual(held);
  });

  it("refuse a request id with another body", async () => {
    const origin = { latitude: 1.3, longitude: 103.8 };
    const { requestIds } = first();
    const { participantId, requestId, fingerprint } = request(origin, 1);
    expect(await requestIds.claim(participantId, requestId, fingerprint)).toBe(false);
    expect(await requestIds.claim(participantId, requestId, fingerprint)).toBe(true);
    const other = requestIds.claim(participantId, requestId, Buffer.from("another fingerpr"));
    await expect(other).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    expect(await requestIds.claim("par_another", requestId, Buffer.from("another fingerpr"))).toBe(false);

    const { siteId } = await first().sites.put(makeSite(origin), 0);
    const candidate = (await resolve(siteId)) as HoldCandidate;
    await first().holds.take(request(origin, 2), [candidate], resolve);
    for (const candidates of [[candidate], []]) {
      const another = { ...request(origin, 2), fingerprint: Buffer.from("another fingerpr") };
      await expect(first().holds.take(another, candidates, resolve)).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    }
    expect(await first().sites.find(siteId)).toMatchObject({ counts: [{ held: 1 }] });
  });
});

describe("a site", () => {
  it("moves between cells and keeps its holds", async () => {
    const origin = { latitude: 1.3, longitude: 103.8 };
    const moved = { latitude: 1.32, longitude: 103.81 };
    const { siteId } = await first().sites.put(makeSite(origin), 0);
    await reserve(first(), origin, 1);
    const outcome = await first().sites.put(makeSite(moved), 0, LiveReservations.DRAIN);
    expect(outcome).toMatchObject({ siteId, outcome: "updated", revision: 2 });
    const asked = { parcel, purpose: Purpose.DELIVERY, isTest: true, limit: 5, kinds: [], operatorIds: [], excludedOperatorIds: [] };
    expect(await first().nearest({ ...asked, origin, radiusM: 100 })).toEqual([]);
    const [candidate] = await first().nearest({ ...asked, origin: moved, radiusM: 100 });
    expect(candidate).toMatchObject({ siteId, classes: [{ index: 0, free: 3 }] });
  });

  it("cannot lose places that its reservations use", async () => {
    const origin = { latitude: 1.3, longitude: 103.8 };
    await first().sites.put(makeSite(origin), 0);
    await reserve(first(), origin, 1);
    const other = makeSite({ ...origin, classes: [["L", 500, 500, 500, 20_000, 4]] });
    await expect(first().sites.put(other, 0)).rejects.toMatchObject({ reason: "CAPACITY_IN_USE" });
    const far = makeSite({ latitude: 10, longitude: 103.8 });
    await expect(first().sites.put(far, 0)).rejects.toMatchObject({ reason: "SITE_REGION_CHANGED" });
  });
});
