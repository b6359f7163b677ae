import { SiteKind } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import type { RedisConnection } from "@petak/redis";
import { createRandom, makeSite, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { cellToLatLng, cellToVertexes, getPentagons, latLngToCell, vertexToLatLng } from "h3-js";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unitPoint } from "../geo/unit-point.ts";
import type { NearestQuery } from "../query/query.ts";
import { plainQuery, smallParcel } from "../testing/plain-query.ts";
import { type KnownSite, reasonByHand, sitesAround } from "./testing/brute-force.ts";

const largeParcel = { widthMm: 380, heightMm: 380, depthMm: 500, massG: 9000 };
const classes: [string, number, number, number, number, number][][] = [
  [["M", 400, 200, 500, 20_000, 1]],
  [
    ["L", 400, 400, 600, 30_000, 2],
    ["S", 400, 120, 500, 5_000, 1],
  ],
  [["XL", 600, 600, 600, 30_000, 3]],
];

const redis = useRedis();
let connection: RedisConnection;
let records: SearchableRecords;
let cached: SearchableRecords | undefined;

/** Number of queries that are compared with a linear search. */
const queries = roundsHere({ short: 250, ci: 20_000, long: 200_000 });

beforeEach(async () => {
  connection = await redis.connect();
  const prefix = `${redis.keyPrefix}petak`;
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix });
  // No cache on a cluster, where each master reports only its own changes.
  const indexCache = { connect: () => redis.connectLater() as Redis, onError: () => undefined };
  cached = redis.isCluster ? undefined : createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix, indexCache });
});
afterEach(() => {
  cached?.stop();
  connection.disconnect();
});

/** The result of a linear search. */
function byLookingAtAll(sites: readonly KnownSite[], asked: NearestQuery): string[] {
  return sitesAround(sites, asked)
    .filter((site) => reasonByHand(site, asked, anyHours) === undefined)
    .slice(0, asked.limit)
    .map(({ siteId }) => siteId);
}

const anyHours = () => true;

/** Points on the edges of the grid's icosahedron: midpoints between adjacent vertices. */
function faceEdges(): Position[] {
  const corners = getPentagons(0).map((cell) => unitPoint({ latitude: cellToLatLng(cell)[0], longitude: cellToLatLng(cell)[1] }));
  return corners.flatMap((a, index) =>
    corners.slice(index + 1).flatMap((b) => {
      // Adjacent vertices are 63.4° apart, others at least 116.6°.
      if (a[0] * b[0] + a[1] * b[1] + a[2] * b[2] < 0) return [];
      const [x, y, z] = [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
      return [{ latitude: (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI, longitude: (Math.atan2(y, x) * 180) / Math.PI }];
    }),
  );
}

/** Positions at which a cell grid is prone to errors. */
function awkwardPlaces(): Position[] {
  const toPosition = ([latitude, longitude]: [number, number]): Position => ({ latitude, longitude });
  const pentagons = getPentagons(8).map((cell) => toPosition(cellToLatLng(cell)));
  const border = latLngToCell(1.3, 103.8, 8);
  const corners = cellToVertexes(border).map((vertex) => toPosition(vertexToLatLng(vertex)));
  const regionCorners = cellToVertexes(latLngToCell(1.3, 103.8, 3)).map((vertex) => toPosition(vertexToLatLng(vertex)));
  return [
    ...pentagons,
    ...corners,
    ...regionCorners,
    ...faceEdges(),
    { latitude: 0, longitude: 180 },
    { latitude: 0, longitude: -180 },
    { latitude: 90, longitude: 0 },
    { latitude: -90, longitude: 45 },
    { latitude: 1.3521, longitude: 103.8198 },
  ];
}

describe("the nearest sites", () => {
  it("equal the result of a linear search, in the same order, anywhere on Earth", { timeout: 900_000 }, async () => {
    const random = createRandom(testSeed());
    const places = awkwardPlaces();
    const spreadsDeg = [0, 0.00001, 0.002, 0.02, 0.5];
    const nearPlace = (): Position => {
      const place = random.pick(places);
      const spread = random.pick(spreadsDeg);
      const latitude = Math.min(90, Math.max(-90, place.latitude + random.float(-spread, spread)));
      const longitude = ((((place.longitude + random.float(-spread, spread) + 180) % 360) + 360) % 360) - 180;
      return { latitude, longitude };
    };
    const sites = Array.from({ length: roundsHere({ short: 300, ci: 1500 }) }, (_, index) =>
      makeSite({
        ...nearPlace(),
        ref: `site-${index}`,
        operatorId: `par_000000000000000${random.int(1, 4)}`,
        kind: random.pick([SiteKind.PARCEL_TERMINAL, SiteKind.COLLECTION_POINT]),
        isTest: random.bool(0.8),
        classes: random.pick(classes),
      }),
    );
    const put: KnownSite[] = [];
    for (const site of sites) {
      const { siteId } = await records.sites.put(site, 0);
      put.push({ site, siteId, free: site.sizeClasses.map(({ installed }) => installed), knownUntilMs: Number.POSITIVE_INFINITY });
    }

    for (let round = 0; round < queries; round++) {
      const anywhere = { latitude: random.float(-90, 90), longitude: random.float(-180, 180) };
      const asked = plainQuery(random.bool(0.9) ? nearPlace() : anywhere, {
        parcel: random.pick([smallParcel, largeParcel]),
        limit: random.int(1, 20),
        radiusM: random.pick([Number.POSITIVE_INFINITY, 500, 5_000, 300_000]),
        kinds: random.pick([[], [SiteKind.PARCEL_TERMINAL], [SiteKind.COLLECTION_POINT, SiteKind.PARCEL_TERMINAL]]),
        operatorIds: random.pick([[], [], ["par_0000000000000001", "par_0000000000000002"]]),
        excludedOperatorIds: random.pick([[], [], ["par_0000000000000003"]]),
        isTest: random.bool(0.8),
      });
      const found = await (cached !== undefined && random.bool(0.5) ? cached : records).nearest(asked);
      const expected = byLookingAtAll(put, asked);
      // The matcher is slow, so it is used for differences only.
      if (found.length === expected.length && found.every(({ siteId }, place) => siteId === expected[place])) continue;
      expect(
        found.map(({ siteId }) => siteId),
        JSON.stringify({ round, asked }),
      ).toEqual(expected);
    }
  });

  it("are empty in a network without sites", async () => {
    expect(await records.nearest(plainQuery({ latitude: 1.3, longitude: 103.8 }))).toEqual([]);
  });

  it("are found from the other side of the Earth", async () => {
    const { siteId } = await records.sites.put(makeSite({ latitude: 1.3, longitude: 103.8 }), 0);
    const [candidate] = await records.nearest(plainQuery({ latitude: -1.3, longitude: -76.2 }));
    expect(candidate?.siteId).toBe(siteId);
    expect(candidate?.distanceM).toBeGreaterThan(20_000_000);
  });

  it("are ordered by id at equal positions", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 40; index++) {
      ids.push((await records.sites.put(makeSite({ latitude: 1.3, longitude: 103.8, ref: `${index}` }), 0)).siteId);
    }
    const found = await records.nearest(plainQuery({ latitude: 1.3, longitude: 103.8 }, { limit: 10 }));
    expect(found.map(({ siteId }) => siteId)).toEqual(ids.sort().slice(0, 10));
  });
});
