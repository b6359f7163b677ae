import { create } from "@bufbuild/protobuf";
import type { NearestQuery, SiteQuery } from "@petak/allocator";
import { plainQuery, smallParcel } from "@petak/allocator/testing";
import { gatewayTerms } from "@petak/lifecycle";
import {
  LiveReservations,
  OverflowFallback,
  OverflowPolicySchema,
  ParcelRequirement,
  type PetakError,
  Purpose,
  ReservationState,
  SiteKind,
  SiteLifecycle,
} from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createFrozenClock, type FrozenClock, type MoreFacts, makeSite, type SiteFacts, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { requestFor } from "../queue/testing/waiting.ts";
import { createSiteCache } from "../sites/site-cache.ts";
import { createTermsBook } from "../terms/terms-book.ts";
import { createTermsStore } from "../terms/terms-store.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import { type CandidateFinder, createCandidateFinder } from "./find-candidates.ts";
import { createPlaces, type PlaceHold, type Places } from "./places.ts";
import type { Overflow, WantedPlace } from "./wanted-place.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
/** About 1.1 km north of the origin, in the same region. */
const nearby = { latitude: 1.31, longitude: 103.8 };
/** About 22 km west of the origin. */
const distant = { latitude: 1.3, longitude: 103.6 };
const call = { signal: new AbortController().signal };
const hourMs = 3_600_000;

let connection: RedisConnection;
let clock: FrozenClock;
let records: SearchableRecords;
let candidates: CandidateFinder;
let places: Places;

beforeEach(async () => {
  connection = await redis.connect();
  clock = createFrozenClock();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  const siteCache = createSiteCache(records.sites);
  const fallback = gatewayTerms({ collectWithinMs: 72 * hourMs, storageMaxMs: 336 * hourMs });
  const termsBook = createTermsBook(createTermsStore(connection, records.terms, records.keys), fallback, clock.now);
  const sources = { nearest: records.nearest, sites: records.sites, siteCache, termsBook };
  candidates = createCandidateFinder(sources);
  places = createPlaces({ ...sources, holds: records.holds, requestIds: records.requestIds });
  return () => connection.disconnect();
});

/** Adds a site with one place, unless it says otherwise. */
async function addSite(ref: string, facts: Partial<SiteFacts> = {}, more: MoreFacts = {}): Promise<string> {
  const site = makeSite({ ...origin, ref, classes: [["M", 400, 200, 500, 20_000, 1]], ...facts }, more);
  return (await records.sites.put(site, clock.now())).siteId;
}

/** The requirements on a named site. */
function siteQuery(rest: Partial<SiteQuery> = {}): SiteQuery {
  const { origin: _origin, radiusM: _radiusM, limit: _limit, ...query } = plainQuery(origin, rest);
  return query;
}

const named = (siteId: string, rest: Partial<SiteQuery> = {}): WantedPlace => ({ siteId, query: siteQuery(rest) });
const nearest = (rest: Partial<NearestQuery> = {}): WantedPlace => ({ query: plainQuery(origin, { radiusM: 5000, ...rest }) });

/** The hold of a request, which has the same number each time. */
function holdFor(number: number, { isQueued = false } = {}): PlaceHold {
  const { participantId, requestId, fingerprint, reservation, event, deadlineMs, waiting } = requestFor(
    { number, siteIds: [], edgeMm: smallParcel.widthMm },
    clock.now(),
  );
  const hold = { participantId, requestId, fingerprint, reservation, event, deadlineMs };
  return isQueued && waiting !== undefined ? { ...hold, waiting: { ...waiting, query: siteQuery() } } : hold;
}

/** An overflow policy for sites within a distance of where the search begins. */
function overflowWithin(maxDistanceM: number, rest: Partial<NearestQuery> = {}): Overflow {
  const policy = create(OverflowPolicySchema, { maxDistanceM, fallback: OverflowFallback.HOLD_AT_DEPOT });
  return { policy, search: (from) => plainQuery(from, { radiusM: maxDistanceM, ...rest }) };
}

const take = (wanted: WantedPlace, number: number, options = {}) => places.take(wanted, holdFor(number, options), call);
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: PetakError) => error.reason ?? error,
  );
const errorOf = (work: Promise<unknown>) => work.catch((error: PetakError) => error) as Promise<PetakError>;

describe("candidates", () => {
  it("near a position are the nearest sites first, without the excepted one, and with their terms in force", async () => {
    const here = await addSite("here");
    const there = await addSite("there", nearby);
    await addSite("distant", distant);
    const found = await candidates.near(plainQuery(origin, { radiusM: 5000 }), call);
    expect(found.map(({ siteId }) => siteId)).toEqual([here, there]);
    expect(found[0]).toMatchObject({ operatorId: "par_0000000000000001", classes: [{ index: 0, sizeClassId: "M" }] });
    expect(found[0]?.revision).toBe((await records.sites.find(here))?.site.revision);
    expect(found[0]?.terms?.termsId).not.toBe("");
    expect(found[0]?.terms).toEqual((await candidates.at(here, siteQuery())).terms);
    const others = await candidates.near(plainQuery(origin, { radiusM: 5000 }), { ...call, exceptSiteId: here });
    expect(others.map(({ siteId }) => siteId)).toEqual([there]);
  });

  it("for a hard hold have the compartments of each size class", async () => {
    const compartments = ["A", "B"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
    const siteId = await addSite("named", { classes: [["M", 400, 200, 500, 20_000, 2]] }, { compartments });
    const hard = { isHard: true };
    const expected = [{ index: 0, sizeClassId: "M", compartmentIds: ["B", "A"] }];
    expect((await candidates.at(siteId, siteQuery(hard))).classes).toEqual(expected);
    expect((await candidates.near(plainQuery(origin, hard), call))[0]?.classes).toEqual(expected);
  });

  it("of a stored plan are checked again, by their distance too if the query is a search", async () => {
    const siteId = await addSite("there", nearby);
    const again = async (query: SiteQuery | NearestQuery) => (await candidates.again(siteId, query))?.siteId;
    expect(await again(siteQuery())).toBe(siteId);
    expect(await again(plainQuery(origin, { radiusM: 2000 }))).toBe(siteId);
    expect(await again(plainQuery(origin, { radiusM: 500 }))).toBeUndefined();
    expect(await again(siteQuery({ kinds: [SiteKind.COLLECTION_POINT] }))).toBeUndefined();
    expect(await candidates.again(siteId.replace(/.{2}$/, "zz"), siteQuery())).toBeUndefined();
  });
});

describe("a named site", () => {
  it("does not exist for the other network, nor under an id that no site has", async () => {
    const siteId = await addSite("site");
    expect(await reasonOf(take(named(siteId, { isTest: false }), 1))).toBe("SITE_NOT_FOUND");
    expect(await reasonOf(take(named(siteId.replace(/.{2}$/, "zz")), 2))).toBe("SITE_NOT_FOUND");
    expect(await reasonOf(take(named("no id"), 3))).toBe("SITE_NOT_FOUND");
  });

  it("that is not offered takes no reservations", async () => {
    const siteId = await addSite("paused", {}, { lifecycle: SiteLifecycle.DECOMMISSIONED });
    const error = await errorOf(take(named(siteId), 1));
    expect([error.reason, error.metadata]).toEqual(["SITE_NOT_ACCEPTING", { site_id: siteId, subject: siteId }]);
  });

  it.each<[string, Partial<SiteQuery>, string, Record<string, string>]>([
    ["purpose", { purpose: Purpose.FIRST_MILE }, "SITE_NOT_ACCEPTING", {}],
    ["size", { parcel: { ...smallParcel, widthMm: 2000, heightMm: 2000, depthMm: 2000 } }, "PARCEL_DOES_NOT_FIT", {}],
    [
      "parcel's requirement",
      { parcelRequirements: [ParcelRequirement.AGE_CHECK] },
      "PARCEL_REQUIREMENT_UNMET",
      { requirement: "AGE_CHECK" },
    ],
    ["kind", { kinds: [SiteKind.COLLECTION_POINT] }, "SITE_REQUIREMENT_UNMET", { requirement: "KIND" }],
  ])("that does not meet the %s is refused with that reason", async (_what, query, reason, metadata) => {
    const siteId = await addSite("unmet", {}, { purposes: [Purpose.DELIVERY] });
    const error = await errorOf(take(named(siteId, query), 1));
    expect(error.reason).toBe(reason);
    expect(error.metadata).toEqual({ site_id: siteId, subject: siteId, ...metadata });
  });

  it("whose last report has expired is refused only if the availability must be known", async () => {
    const siteId = await addSite("reporting");
    const stored = await records.sites.find(siteId);
    if (stored === undefined) throw new Error("no site");
    const classesOf = () => [{ occupied: 0, outOfService: 0 }];
    await records.capacityReports.record({ siteId, observedAtMs: clock.now(), ttlS: 60, classesOf }, stored, clock.now());
    clock.advance(120_000);
    expect(await reasonOf(take(named(siteId, { knownAtMs: clock.now() }), 1))).toBe("AVAILABILITY_UNKNOWN");
    expect(await take(named(siteId), 2)).toMatchObject({ siteId, state: ReservationState.HELD });
  });

  it("that is full is refused, and says what to do with the parcel by the overflow policy", async () => {
    const siteId = await addSite("full");
    await take(named(siteId), 1);
    const plain = await errorOf(take(named(siteId), 2));
    expect([plain.reason, plain.metadata, plain.retryAfterMs]).toEqual(["NO_PLACE_FREE", { site_id: siteId, subject: siteId }, 60_000]);
    const withPolicy = await errorOf(take({ ...named(siteId), overflow: overflowWithin(0) }, 3));
    expect(withPolicy.reason).toBe("NO_PLACE_FREE");
    expect(withPolicy.metadata).toMatchObject({ site_id: siteId, overflow_fallback: "HOLD_AT_DEPOT" });
  });
});

describe("a search for a place", () => {
  it("takes the nearest free one, then the next, and says within which distance none is free", async () => {
    const here = await addSite("here");
    const there = await addSite("there", nearby);
    expect(await take(nearest(), 1)).toMatchObject({ siteId: here, sizeClassId: "M" });
    expect(await take(nearest(), 2)).toMatchObject({ siteId: there });
    const error = await errorOf(take(nearest(), 3));
    expect([error.reason, error.metadata, error.message]).toEqual([
      "NO_PLACE_FREE",
      { radius_m: "5000" },
      expect.stringContaining("within 5000 m"),
    ]);
  });

  it("gives a repeated request its reservation, even if the site is full or closed now", async () => {
    const siteId = await addSite("here");
    const wanted = nearest();
    expect(await places.find(wanted, holdFor(1))).toBeUndefined();
    const first = await take(wanted, 1);
    await records.sites.retire(siteId, clock.now(), LiveReservations.DRAIN);
    expect(await take(wanted, 1)).toEqual(first);
    expect((await places.find(wanted, holdFor(1)))?.reservationId).toBe(first.reservationId);
    expect(await reasonOf(places.take(wanted, { ...holdFor(1), fingerprint: Buffer.alloc(16, 9) }, call))).toBe("REQUEST_ID_REUSED");
  });

  it("takes no more places than there are for concurrent requests", async () => {
    await addSite("here");
    await addSite("there", nearby);
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, number) => reasonOf(take(nearest(), number))));
    expect(outcomes.filter((reason) => reason === "none")).toHaveLength(2);
    expect(new Set(outcomes)).toEqual(new Set(["none", "NO_PLACE_FREE"]));
  });
});

describe("an overflow policy", () => {
  let full: string;
  let other: string;

  beforeEach(async () => {
    full = await addSite("full");
    other = await addSite("other", { ...nearby, operatorId: "par_0000000000000003" });
    await take(named(full), 1);
  });

  it("leads to another site within its distance and of its operators only", async () => {
    const wanted = named(full);
    expect(await reasonOf(take({ ...wanted, overflow: overflowWithin(500) }, 2))).toBe("NO_PLACE_FREE");
    const ownOnly = overflowWithin(5000, { operatorIds: ["par_0000000000000001"] });
    expect(await reasonOf(take({ ...wanted, overflow: ownOnly }, 3))).toBe("NO_PLACE_FREE");
    expect(await take({ ...wanted, overflow: overflowWithin(5000) }, 4)).toMatchObject({
      siteId: other,
      operatorId: "par_0000000000000003",
    });
  });

  it("extends a search beyond its own radius, and a repetition finds the place there", async () => {
    const wanted = { ...nearest({ radiusM: 100 }), overflow: overflowWithin(5000) };
    const first = await take(wanted, 2);
    expect(first.siteId).toBe(other);
    expect(await take(wanted, 2)).toEqual(first);
  });

  it("queues the reservation at the wanted site and at the nearest others if all are full", async () => {
    await take(named(other), 2);
    const wanted = { ...named(full), overflow: overflowWithin(5000) };
    const queued = await take(wanted, 3, { isQueued: true });
    expect(queued).toMatchObject({ state: ReservationState.QUEUED, siteId: full, queuedSiteIds: [full, other], queuePosition: 0 });
    expect(await records.queues.position(queued.reservationId)).toBe(0);
    expect(await take(wanted, 3, { isQueued: true })).toEqual(queued);
    expect(await reasonOf(take(wanted, 4))).toBe("NO_PLACE_FREE");
  });

  it("is not needed to be queued at the wanted site", async () => {
    const queued = await take(named(full), 2, { isQueued: true });
    expect(queued.queuedSiteIds).toEqual([full]);
  });
});
