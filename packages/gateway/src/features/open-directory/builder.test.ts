import { create, toJson } from "@bufbuild/protobuf";
import {
  AvailabilityState,
  GetAvailabilityRequestSchema,
  LiveReservations,
  Role,
  type Site,
  SiteAvailabilitySchema,
  SiteLifecycle,
} from "@petak/protocol";
import { createOperatorLinksStore, createOperatorNames, createParticipantStore, createRecords, type Records } from "@petak/records";
import { createKeys, type RedisConnection } from "@petak/redis";
import { createFrozenClock, createRandom, type FrozenClock, makeSite, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { getAvailability } from "../directory/get-availability.ts";
import { type BuilderDependencies, createBuilder, type PublishedFiles } from "./builder.ts";
import type { PublishedFile } from "./published-file.ts";

const redis = useRedis();
const singapore = { latitude: 1.3, longitude: 103.8 };
const bangkok = { latitude: 13.7, longitude: 100.5 };
const otherId = "par_0000000000000002";
const small = ["S", 100, 100, 100, 1000, 2] as const;
const large = ["L", 400, 400, 400, 1000, 5] as const;

let connection: RedisConnection;
let records: Records;
let clock: FrozenClock;

beforeEach(async () => {
  connection = await redis.connect();
  records = createRecords({ redis: connection, prefix: redis.keyPrefix, storeCode: testStoreCode });
  clock = createFrozenClock();
  return () => connection.disconnect();
});

function dependencies(): BuilderDependencies {
  const keys = createKeys(redis.keyPrefix);
  return {
    ...records,
    operatorLinks: createOperatorLinksStore(connection, keys),
    operatorNames: createOperatorNames(createParticipantStore(connection, keys), clock.now),
    options: {
      licence: "CC-BY-4.0",
      publisher: "",
      sitePage: "https://lockers.example/{operator_site_ref}",
      network: "live",
      leftOut: new Set([otherId]),
    },
    now: clock.now,
  };
}

const site = (ref: string, more: object = {}): Site => makeSite({ ref, ...singapore, isTest: false }, more);
const put = async (given: Site): Promise<string> => (await records.sites.put(given, clock.now())).siteId;

interface Content {
  readonly last_updated: string;
  readonly data: { readonly sites: Record<string, unknown>[]; readonly availabilities: Record<string, unknown>[] };
}

const contentOf = ({ chunks }: PublishedFile): Content => JSON.parse(Buffer.concat(chunks).toString()) as Content;
const sitesOf = ({ sites }: PublishedFiles) => contentOf(sites).data.sites;
const availabilitiesOf = ({ availability }: PublishedFiles) => contentOf(availability).data.availabilities;

/** What GetAvailability says of the same sites. */
async function asked(siteIds: string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let first = 0; first < siteIds.length; first += 100) {
    const request = create(GetAvailabilityRequestSchema, { siteIds: siteIds.slice(first, first + 100) });
    const caller = { ...testCaller(Role.COURIER), mode: "live" } as const;
    const { availabilities } = await getAvailability({ ...records, now: clock.now }, request, caller as never);
    for (const one of availabilities) {
      if (one.state !== AvailabilityState.KNOWN) one.sizeClasses = [];
      found.push(toJson(SiteAvailabilitySchema, { ...one, publishedAt: undefined } as never, { useProtoFieldName: true }));
    }
  }
  return found;
}

describe("the open directory", () => {
  it("has the live sites of operators that agree, none of the test network and none that is retired", async () => {
    const siteIds = [
      await put(site("a")),
      await put(site("b", { lifecycle: SiteLifecycle.PLANNED })),
      await put(makeSite({ ref: "c", ...bangkok, isTest: false })),
    ];
    await put(site("test", { isTest: true }));
    await put(site("left out", { operatorId: otherId }));
    const retired = await put(site("retired"));
    const build = createBuilder(dependencies());
    expect(sitesOf(await build()).map((one) => one.site_id)).toEqual([...siteIds, retired].sort());
    await records.sites.retire(retired, clock.now(), LiveReservations.REFUSE);
    const built = await build();
    expect(sitesOf(built).map((one) => one.site_id)).toEqual([...siteIds].sort());
    expect(built.totals).toMatchObject({ terminals: 3, collectionPoints: 0, operators: 1, placesFree: 8 });
  });

  it("has the test network of a demonstration instead, and no live site then", async () => {
    await put(site("live"));
    const made = [await put(site("a", { isTest: true }))];
    await put(site("left out", { isTest: true, operatorId: otherId }));
    const { options, ...others } = dependencies();
    const built = await createBuilder({ ...others, options: { ...options, network: "test" } })();
    expect(sitesOf(built).map((one) => one.site_id)).toEqual(made);
    expect(built.totals).toMatchObject({ terminals: 1, placesFree: 4 });
  });

  it("shows no single doors, no position of before and nothing else that is for the operator", async () => {
    await put(site("a/1", { compartments: [1, 2, 3, 4].map((number) => ({ compartmentId: `A${number}`, sizeClassId: "M" })) }));
    const [shown] = sitesOf(await createBuilder(dependencies())());
    expect(Object.keys(shown ?? {}).sort()).toEqual(
      [
        ...["site_id", "operator_id", "operator_site_ref", "kind", "name", "position", "address", "time_zone", "opening_hours"],
        ...["size_classes", "lifecycle", "revision", "updated_at", "page_url"],
      ].sort(),
    );
    expect(shown?.page_url).toBe("https://lockers.example/a%2F1");
  });

  it("has the same file of sites until a site changes, and another of what is free each time", async () => {
    await put(site("a"));
    const build = createBuilder(dependencies());
    const first = await build();
    clock.advance(30_000);
    const second = await build();
    expect([second.sites.hash, second.geojson.hash]).toEqual([first.sites.hash, first.geojson.hash]);
    expect(second.availability.hash).not.toBe(first.availability.hash);
    // Another gateway of the store has the same file.
    expect((await createBuilder(dependencies())()).sites.hash).toBe(first.sites.hash);
    await put(site("a", { name: "Another name" }));
    const third = await build();
    expect(third.sites.hash).not.toBe(first.sites.hash);
    expect(contentOf(third.sites).last_updated).toBe(new Date(clock.now()).toISOString());
  });

  it("claims no free place from a report whose time has passed", async () => {
    const siteId = await put(site("a"));
    const stored = await records.sites.find(siteId);
    if (stored === undefined) throw new Error("the site is not there");
    const report = { siteId, observedAtMs: clock.now(), ttlS: 60, classesOf: () => [{ occupied: 1, outOfService: 0 }] };
    await records.capacityReports.record(report as never, stored, clock.now());
    const build = createBuilder(dependencies());
    const [fresh] = availabilitiesOf(await build());
    expect(fresh).toMatchObject({ state: "AVAILABILITY_STATE_KNOWN", size_classes: [{ free_to_promise: 3 }] });
    clock.advance(60_001);
    const built = await build();
    expect(availabilitiesOf(built)).toEqual(await asked([siteId]));
    expect(availabilitiesOf(built)[0]).not.toHaveProperty("size_classes");
    expect(built.totals).toMatchObject({ sitesKnown: 0, placesFree: 0 });
  });

  it("never joins the counts of a site to other size classes, whatever is written meanwhile", async () => {
    const siteId = await put(makeSite({ ...singapore, isTest: false, classes: [[...small], [...large]] }));
    let isExchanged = false;
    const read = dependencies();
    const build = createBuilder({
      ...read,
      countsByCell: {
        async read(region, places) {
          if (!isExchanged) await put(makeSite({ ...singapore, isTest: false, classes: [[...large], [...small]] }));
          isExchanged = true;
          return await read.countsByCell.read(region, places);
        },
      },
    });
    expect(availabilitiesOf(await build())).toEqual(await asked([siteId]));
  });

  it("claims nothing of sites that change faster than they can be read", async () => {
    await put(site("a"));
    const read = dependencies();
    let changes = 0;
    const build = createBuilder({
      ...read,
      countsByCell: {
        async read(region, places) {
          changes += 1;
          await put(site("a", { name: `Name ${changes}` }));
          return await read.countsByCell.read(region, places);
        },
      },
    });
    const built = await build();
    expect(availabilitiesOf(built)).toEqual([
      { site_id: expect.any(String), state: "AVAILABILITY_STATE_UNKNOWN", accepting_deposits: true, accepting_collections: true },
    ]);
    expect(changes).toBe(3);
  });
});

it(`says what GetAvailability says after any changes (seed ${testSeed()})`, async () => {
  const random = createRandom(testSeed());
  const build = createBuilder(dependencies());
  const live = new Set<string>();
  for (let round = 0; round < roundsHere({ short: 10, ci: 100 }); round++) {
    for (let change = random.int(1, 5); change > 0; change--) {
      const ref = `site ${random.int(1, 12)}`;
      const position = Number(ref.slice(5)) % 3 === 0 ? bangkok : singapore;
      const classes = random.pick([[small], [large], [small, large], [large, small]] as const).map((one) => [...one]);
      const lifecycle = random.pick([SiteLifecycle.ACTIVE, SiteLifecycle.MAINTENANCE, SiteLifecycle.DECOMMISSIONED]);
      const siteId = await put(makeSite({ ref, ...position, isTest: false, classes: classes as never }, { lifecycle }));
      if (lifecycle === SiteLifecycle.DECOMMISSIONED) live.delete(siteId);
      else live.add(siteId);
    }
    const built = await build();
    const siteIds = [...live].sort();
    expect(
      sitesOf(built)
        .map((one) => one.site_id)
        .sort(),
    ).toEqual(siteIds);
    const byId = (a: { site_id?: unknown }, b: { site_id?: unknown }) => (String(a.site_id) < String(b.site_id) ? -1 : 1);
    expect(availabilitiesOf(built).sort(byId)).toEqual(await asked(siteIds));
    clock.advance(random.int(0, 60_000));
  }
});
