import { create } from "@bufbuild/protobuf";
import {
  CompartmentSchema,
  EventSchema,
  type ParcelRequirement,
  PassedOverReason,
  Purpose,
  parseSiteId,
  ReservationSchema,
  type Site,
  SiteKind,
  SiteLifecycle,
  type SiteService,
} from "@petak/protocol";
import type { StoredSite } from "@petak/records";
import { createSearchableRecords, type SearchableRecords, storedCandidate } from "@petak/records/testing/candidates";
import type { RedisConnection } from "@petak/redis";
import { createRandom, type MoreFacts, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { cellToLatLng, getPentagons } from "h3-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { randomOpeningHours } from "../hours/testing/random-hours.ts";
import type { NearestQuery, SiteNeeds } from "../query/query.ts";
import { plainQuery } from "../testing/plain-query.ts";
import { checkSite } from "./check-site.ts";
import { createOpenLookup, type KnownSite, reasonByHand, sitesAround } from "./testing/brute-force.ts";

const redis = useRedis();
let connection: RedisConnection;
let records: SearchableRecords;

beforeEach(async () => {
  connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
});
afterEach(() => {
  connection.disconnect();
});

const operators = ["par_0000000000000001", "par_0000000000000002", "par_0000000000000003"];
const countries = ["SG", "MY", "ID"];
const zones = ["Asia/Singapore", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"];
const heights = [0, 300, 380, 900, 1220, 1221, 1900];
/** The night on which Berlin leaves daylight saving time; Lord Howe entered it three weeks before. */
const nearMs = Date.parse("2026-10-25T01:00Z");

/** Reasons that only CheckFit has: the index has no sites that are out of service or paused. */
const onlyOfChecks: readonly PassedOverReason[] = [PassedOverReason.NOT_IN_SERVICE, PassedOverReason.INTAKE_PAUSED];

const subset = <T>(random: Random, items: readonly T[]): T[] => items.filter(() => random.bool());

function randomSite(random: Random, index: number, hours: Pick<Site, "timeZone" | "openingHours">, places: number[][]): Site {
  const [latitude = 0, longitude = 0] = random.pick(places);
  const spread = random.pick([0, 0.001, 0.02, 0.3]);
  const facts = {
    operatorId: random.pick(operators),
    ref: `site-${index}`,
    latitude: latitude + random.float(-spread, spread),
    longitude: longitude + random.float(-spread, spread),
    kind: random.pick([SiteKind.PARCEL_TERMINAL, SiteKind.COLLECTION_POINT]),
    isTest: random.bool(0.8),
  };
  const site = makeSite(facts, {
    ...hours,
    address: { countryCode: random.pick(countries) },
    access: { stepFree: random.bool(0.7) },
    equipment: { cardPayment: random.bool(0.7) },
    purposes: random.pick([[], [], [Purpose.DELIVERY], [Purpose.FIRST_MILE, Purpose.RETURN]]),
    services: subset(random, [1, 2, 3, 4, 5] as SiteService[]),
    sizeClasses: Array.from({ length: random.int(1, 4) }, (_, place) => {
      const lowestCentreHeightMm = random.pick(heights);
      return {
        sizeClassId: `C${place}`,
        widthMm: random.pick([300, 400]),
        heightMm: random.pick([120, 200, 400]),
        depthMm: random.pick([500, 600]),
        maxMassG: random.pick([5_000, 20_000]),
        installed: random.pick([1, 1, 3]),
        lowestCentreHeightMm,
        highestCentreHeightMm: random.pick([0, ...heights.filter((height) => height >= lowestCentreHeightMm)]),
        refrigerated: random.bool(0.4),
      };
    }),
  });
  if (random.bool()) return site;
  const compartments = site.sizeClasses.flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, door) => create(CompartmentSchema, { compartmentId: `${sizeClassId}-${door}`, sizeClassId })),
  );
  return { ...site, compartments };
}

function randomNeeds(random: Random): SiteNeeds {
  const fromMs = nearMs + random.int(-4, 4) * 6 * 3_600_000;
  const atLeastMs = random.pick([1, 60, 400, 1000]) * 60_000;
  return {
    stepFree: random.bool(0.2),
    cardPayment: random.bool(0.2),
    refrigerated: random.bool(0.2),
    minCentreHeightMm: random.pick([0, 0, 0, 300, 380]),
    maxCentreHeightMm: random.pick([0, 0, 0, 1220, 1900]),
    openAtMs: random.bool(0.3) ? nearMs + random.int(-20, 20) * 1_800_000 : undefined,
    openWithin: random.bool(0.3) ? { fromMs, toMs: fromMs + random.pick([1, 4]) * 6 * 3_600_000, atLeastMs } : undefined,
  };
}

function randomQuery(random: Random, places: number[][]): NearestQuery {
  const [latitude = 0, longitude = 0] = random.pick(places);
  const spread = random.pick([0, 0.002, 0.05, 0.5]);
  return {
    origin: { latitude: latitude + random.float(-spread, spread), longitude: longitude + random.float(-spread, spread) },
    parcel: {
      widthMm: random.pick([100, 190, 350]),
      heightMm: random.pick([100, 300]),
      depthMm: random.pick([380, 550]),
      massG: random.pick([900, 9000]),
    },
    purpose: random.pick([Purpose.DELIVERY, Purpose.DELIVERY, Purpose.RETURN]),
    isTest: random.bool(0.8),
    limit: random.int(1, 10),
    radiusM: random.pick([Number.POSITIVE_INFINITY, 800, 30_000, 90_000]),
    kinds: random.pick([
      [],
      [],
      [SiteKind.PARCEL_TERMINAL],
      [SiteKind.COLLECTION_POINT],
      [SiteKind.COLLECTION_POINT, SiteKind.PARCEL_TERMINAL],
    ]),
    operatorIds: random.pick([[], [], operators.slice(0, 2), ["par_nobody000000000"]]),
    excludedOperatorIds: random.pick([[], [], operators.slice(0, 1)]),
    parcelRequirements: random.bool(0.7) ? [] : random.shuffle([1, 2, 3, 4, 5, 6] as ParcelRequirement[]).slice(0, random.int(1, 2)),
    countryCodes: random.pick([[], [], ["SG"], ["MY", "ID"], ["LA"]]),
    ...(random.bool(0.7) ? { needs: randomNeeds(random) } : {}),
    ...(random.bool(0.3) ? { isHard: true } : {}),
    ...(random.bool(0.7) ? { knownAtMs: nearMs + random.int(0, 1000) } : {}),
  };
}

/** Reports a site's places with a validity that ends before or after the queries' time. Returns when it ends. */
async function report(random: Random, siteId: string, free: number[]): Promise<number> {
  const stored = await records.sites.find(siteId);
  if (stored === undefined) throw new Error(`no site ${siteId}`);
  const observedAtMs = nearMs + random.int(-200_000, 1500);
  const ttlS = random.pick([10, 60, 300]);
  const classes = free.map((places) => {
    const outOfService = random.bool(0.2) ? random.int(0, places) : 0;
    return { outOfService, occupied: random.bool(0.2) ? random.int(0, places - outOfService) : 0 };
  });
  const outcome = await records.capacityReports.record({ siteId, observedAtMs, ttlS, classesOf: () => classes }, stored, observedAtMs);
  expect(outcome).toBe("recorded");
  classes.forEach(({ outOfService, occupied }, place) => {
    free[place] = (free[place] ?? 0) - outOfService - occupied;
  });
  return Math.floor(observedAtMs / 1000) * 1000 + ttlS * 1000;
}

/** Occupies a place of a size class by a reservation. */
async function take(siteId: string, site: Site, index: number, number: number): Promise<void> {
  const stored = await records.sites.find(siteId);
  const requestId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const outcome = await records.holds.take(
    {
      participantId: "par_0000000000000009",
      requestId,
      fingerprint: Buffer.from(requestId.slice(-16)),
      isBound: true,
      homeRegion: parseSiteId(siteId)?.region ?? "",
      reservation: create(ReservationSchema, {}),
      deadlineMs: 2_000_000_000_000,
      event: (reservationId) => create(EventSchema, { reservationId }),
    },
    [storedCandidate(stored as StoredSite, [{ index, sizeClassId: site.sizeClasses[index]?.sizeClassId ?? "" }])],
    async () => undefined,
  );
  expect(outcome.tag).toBe("held");
}

describe("constraints", () => {
  it("exclude exactly the sites that a linear search excludes, for the same reasons", { timeout: 180_000 }, async () => {
    const random = createRandom(testSeed());
    const places = [
      [1.45, 103.77],
      [0, 179.999],
      ...getPentagons(8)
        .slice(0, 2)
        .map((cell) => [...cellToLatLng(cell)]),
    ];
    const hours = Array.from({ length: 24 }, () => ({ timeZone: random.pick(zones), openingHours: randomOpeningHours(random, nearMs) }));
    const sites: KnownSite[] = [];
    const siteCount = roundsHere({ short: 250, ci: 700 });
    for (let index = 0; index < siteCount; index++) {
      const site = randomSite(random, index, random.pick(hours), places);
      const { siteId } = await records.sites.put(site, 0);
      const free = site.sizeClasses.map(({ installed }) => installed);
      for (const [place, installed] of free.entries()) {
        if (installed > 1 || random.bool(0.4)) continue;
        await take(siteId, site, place, index * 10 + place);
        free[place] = 0;
      }
      const knownUntilMs = random.bool(0.4) ? await report(random, siteId, free) : Number.POSITIVE_INFINITY;
      sites.push({ siteId, site, free, knownUntilMs });
    }

    const stored = await records.sites.findAll(sites.map(({ siteId }) => siteId));
    const observations = new Map(stored.map((site) => [site?.site.siteId, site?.observation]));
    const isOpen = createOpenLookup();
    const seen = new Set<PassedOverReason | undefined>();
    let options = 0;
    const rounds = roundsHere({ short: 150, ci: 2000 });
    const reasons = Object.values(PassedOverReason).filter(
      (reason) => reason !== PassedOverReason.UNSPECIFIED && !onlyOfChecks.includes(reason),
    );
    const hasAll = () => reasons.every((reason) => seen.has(reason)) && options > rounds / 2;
    for (let round = 0; round < rounds || (round < 20 * rounds && !hasAll()); round++) {
      const query = randomQuery(random, places);
      const shown = JSON.stringify({ round, query });
      const judged = sitesAround(sites, query).map((known) => ({ ...known, reason: reasonByHand(known, query, isOpen) }));
      const wanted = judged.filter(({ reason }) => reason === undefined).slice(0, query.limit);
      const found = await records.nearest(query);
      options += found.length;
      expect(
        found.map(({ siteId }) => siteId),
        shown,
      ).toEqual(wanted.map(({ siteId }) => siteId));
      for (const { siteId, classes } of found) {
        const known = sites.find((site) => site.siteId === siteId) as KnownSite;
        expect(checkSite(query, known.site).classes, shown).toEqual(expect.arrayContaining(classes.map(({ index }) => index)));
        for (const { index, free } of classes) expect(free, shown).toBe(known.free[index]);
      }
      for (const known of random.shuffle(judged).slice(0, 20)) {
        const { reason } = checkSite(query, known.site, observations.get(known.siteId));
        const ifFree = reasonByHand({ ...known, free: known.free.map(() => 1) }, query, isOpen);
        expect(reason, `${known.siteId} ${shown}`).toBe(ifFree);
      }

      for (const { reason } of judged) seen.add(reason);
      // Counting reads the whole area, so it is done in one round of three only.
      if (round % 3 > 0) continue;
      const namedMax = random.pick([0, 1, 10, 20]);
      const { withinM, counts, nearest } = await records.passedOver(query, found, { limit: namedMax });
      const farthestM = wanted.length === query.limit ? (wanted.at(-1)?.distanceM ?? 0) : query.radiusM;
      expect(withinM, shown).toBe(Math.min(farthestM, 50_000));
      const expected = new Map<PassedOverReason, number>();
      for (const { distanceM, reason } of judged) {
        if (distanceM <= withinM && reason !== undefined) expected.set(reason, (expected.get(reason) ?? 0) + 1);
      }
      expect([...counts], shown).toEqual([...expected].sort(([a], [b]) => a - b));
      const passedOver = judged.filter(({ distanceM, reason }) => distanceM <= withinM && reason !== undefined).slice(0, namedMax);
      expect(
        nearest.map(({ siteId, distanceM, reason }) => ({ siteId, distanceM, reason })),
        shown,
      ).toEqual(passedOver.map(({ siteId, distanceM, reason }) => ({ siteId, distanceM, reason })));
      // Of the nearest ten sites each is offered or has its reason, if the caller asks for as many of both.
      const isAmple = namedMax >= 10 && query.limit >= 10;
      const named = new Set([...found, ...nearest].map(({ siteId }) => siteId));
      const unexplained = judged.slice(0, 10).filter(({ siteId, distanceM }) => distanceM <= withinM && !named.has(siteId));
      if (isAmple) expect(unexplained, shown).toEqual([]);
    }
    // Otherwise the rounds would not have exercised every reason.
    expect([...seen].filter((reason) => reason !== undefined).sort((a, b) => a - b)).toEqual(reasons);
    expect(options).toBeGreaterThan(rounds / 2);
  });

  it("apply after a site's hours, country and size classes have changed", async () => {
    const query = plainQuery({ latitude: 1.3, longitude: 103.8 });
    const needs: SiteNeeds = {
      stepFree: false,
      cardPayment: false,
      refrigerated: false,
      minCentreHeightMm: 0,
      maxCentreHeightMm: 0,
      openAtMs: nearMs,
      openWithin: undefined,
    };
    const site = { latitude: 1.3, longitude: 103.8 };
    const put = (more: MoreFacts) => records.sites.put(makeSite(site, more), 0);
    const closed = { exceptions: [{ date: { year: 2026, month: 10, day: 25 }, open: [] }], alwaysOpen: true };
    const finds = async (asked: Partial<NearestQuery>) => (await records.nearest({ ...query, ...asked })).length;
    await put({});
    expect(await finds({ needs })).toBe(1);
    await put({ openingHours: closed });
    expect(await finds({ needs })).toBe(0);
    expect(await finds({ countryCodes: ["MY"] })).toBe(0);
    await put({ address: { countryCode: "MY" } });
    expect([await finds({ needs }), await finds({ countryCodes: ["MY"] }), await finds({ countryCodes: ["SG"] })]).toEqual([1, 1, 0]);
    expect(await finds({ needs: { ...needs, refrigerated: true } })).toBe(0);
    await put({ sizeClasses: makeSite(site).sizeClasses.map((sizeClass) => ({ ...sizeClass, refrigerated: true })) });
    expect(await finds({ needs: { ...needs, refrigerated: true } })).toBe(1);
  });

  it("reject a site whose hours would be too many for the region, in the test network at half of them, and accept one with hours already listed", async () => {
    const site = { latitude: 1.3, longitude: 103.8 };
    const always = { openingHours: { weekly: [] } };
    const { siteId } = await records.sites.put(makeSite(site, always), 0);
    const region = parseSiteId(siteId)?.region ?? "";
    const list = records.keys.openingTimes(region);
    let sequence = 100;
    const fillTo = async (count: number) => {
      const others = Array.from({ length: count - (await connection.zcard(list)) }, () => [sequence, `other ${sequence++}`]);
      while (others.length > 0) await connection.zadd(list, ...others.splice(0, 5_000).flat());
    };
    const alwaysButOnce = { openingHours: { alwaysOpen: true, exceptions: [{ date: { year: 2026, month: 12, day: 25 } }] } };
    const oneMore = (isTest: boolean) => ({ ...makeSite({ ...site, ref: `one-more-${isTest}` }, alwaysButOnce), isTest });
    const full = (limit: string) => ({
      reason: "QUOTA_EXHAUSTED",
      metadata: { quota: "openingTimesMax", limit, used: limit, subject: region },
    });
    await fillTo(32_768);
    await records.sites.put(makeSite({ ...site, ref: "same" }, always), 0);
    await expect(records.sites.put(oneMore(true), 0)).rejects.toMatchObject(full("32768"));
    await expect(records.sites.check([oneMore(true)])).rejects.toMatchObject(full("32768"));
    await records.sites.put(oneMore(false), 0);
    await records.sites.put({ ...oneMore(false), lifecycle: SiteLifecycle.MAINTENANCE }, 0);
    await fillTo(65_536);
    await expect(records.sites.put(oneMore(false), 0)).rejects.toMatchObject(full("65536"));
  });
});
