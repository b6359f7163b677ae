import { create } from "@bufbuild/protobuf";
import type { SiteSearch } from "@petak/allocator";
import { FindNearestRequestSchema, type FindNearestResponse, Purpose, Role } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import { createOperatorLinksStore, createParticipantStore, createSiteCache } from "@petak/records";
import { createKeys } from "@petak/redis";
import { makeSite, useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { createChoices } from "../choice/choices.ts";
import { openReservationWorld, type ReservationWorld } from "../reservation/testing/reservation-world.ts";
import { createDirectoryService } from "./service.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const small = ["S", 100, 100, 100, 1000, 2] as const;
const large = ["L", 400, 400, 400, 1000, 5] as const;

let world: ReservationWorld;

beforeEach(async () => {
  world = await openReservationWorld(redis, testCaller(Role.COURIER));
});

type Classes = (readonly [string, number, number, number, number, number])[];

const put = (...classes: Classes) => putAt(origin, ...classes);

const putAt = (position: Position, ...classes: Classes) =>
  world.steady.records.sites.put(makeSite({ ...position, classes: classes.map((one) => [...one]) }), 0);

/** The response if something changes after each search, before the sites are read. */
async function findNearest(afterSearch: (search: number) => Promise<unknown>): Promise<FindNearestResponse> {
  const { records, termsBook, operatorNames } = world.steady;
  const keys = createKeys(redis.keyPrefix);
  let searches = 0;
  const search: SiteSearch = {
    ...records,
    async nearest(query, waiting) {
      const found = await records.nearest(query, waiting);
      await afterSearch(++searches);
      return found;
    },
  };
  const siteCache = createSiteCache(records.sites);
  const service = createDirectoryService({
    search,
    records,
    siteCache: {
      ...siteCache,
      facts(wanted) {
        siteCache.clear();
        return siteCache.facts(wanted);
      },
    },
    termsBook,
    participants: createParticipantStore(world.connection, keys),
    operatorLinks: createOperatorLinksStore(world.connection, keys),
    operatorNames,
    choices: createChoices(world.secrets),
    growth: { refuseNew: () => undefined },
    now: world.clock.now,
  });
  const parcel = { widthMm: 300, heightMm: 300, depthMm: 300, massG: 500 };
  const request = create(FindNearestRequestSchema, { origin, parcel, purpose: Purpose.DELIVERY, radiusM: 1000, limit: 5 });
  return (await service.findNearest(request, world.context)) as FindNearestResponse;
}

it("a site whose size classes are exchanged between search and facts is offered as it is now", async () => {
  await put(small, large);
  const { options } = await findNearest(async (search) => {
    if (search === 1) await put(large, small);
  });
  expect(options.map(({ sizeClassId, freeToPromise }) => [sizeClassId, freeToPromise])).toEqual([["L", 5]]);
});

it("a distance is stated to the centimetre", async () => {
  await putAt({ ...origin, latitude: origin.latitude + 0.002 }, large);
  const { options } = await findNearest(async () => {});
  // 222.390158… m.
  expect(options.map(({ distanceM }) => distanceM)).toEqual([222.39]);
});

it("a site that changes after every search is left out", async () => {
  await put(small, large);
  const { options } = await findNearest((search) => put(["L", 400, 400, 400, 1000, 5 + search]));
  expect(options).toEqual([]);
});
