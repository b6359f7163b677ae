import { create } from "@bufbuild/protobuf";
import { LatLngSchema } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createFrozenClock, createRandom, type FrozenClock, makeSite, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import { hold, readSite, recordStep, rewrite, sendReport } from "./testing/site-actions.ts";
import { checkPromises, createLife, elsewhere, offered, origin } from "./testing/site-life.ts";
import { createSiteModel, type ModelClass, type ModelParcel } from "./testing/site-model.ts";

const redis = useRedis();
let gatewayRecords: SearchableRecords[];
let clock: FrozenClock;
let requests: number;

beforeEach(async () => {
  const connections: RedisConnection[] = await Promise.all(Array.from({ length: 3 }, () => redis.connect()));
  gatewayRecords = connections.map((connection) =>
    createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
  );
  clock = createFrozenClock();
  requests = 0;
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const first = () => gatewayRecords[0] as SearchableRecords;

/** Puts a site with two size classes, of which only the second fits a large parcel. */
async function putSite(ref: string, small: number, large: number): Promise<string> {
  const site = makeSite({
    ...origin,
    ref,
    classes: [
      ["S", 200, 200, 200, 1000, small],
      ["L", 600, 600, 600, 1000, large],
    ],
  });
  return (await first().sites.put(site, clock.now())).siteId;
}

describe("a capacity report", () => {
  it("never leads to a place that is promised twice, whatever happens in any order", async () => {
    const seed = testSeed();
    const seen = { recorded: 0, outdated: 0, held: 0, none: 0, exact: 0 };
    const rounds = roundsHere({ short: 6, ci: 15 });
    const lacksSome = () => Object.values(seen).includes(0);
    for (let round = 0; round < rounds || (round < 100 && lacksSome()); round++) {
      const random = createRandom(seed + round);
      const installed = [random.int(1, 5), random.int(1, 5)];
      const siteId = await putSite(`${round}`, installed[0] ?? 0, installed[1] ?? 0);
      const model = createSiteModel(installed);
      const life = createLife({
        gatewayRecords: gatewayRecords as [SearchableRecords],
        siteId,
        model,
        random,
        clock,
        nextNumber: () => requests++,
      });
      for (let step = 0; step < 120; step++) {
        await life.step();
        await checkPromises(first(), siteId, model, clock.now());
        if (random.bool(0.03)) await life.settle();
      }
      await life.settle();
      for (const [what, count] of Object.entries(life.seen)) seen[what as keyof typeof seen] += count;
    }
    // Otherwise the rounds would have tested nothing.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });

  it("never leads to a place that is promised twice while others hold and deposit concurrently", async () => {
    const random = createRandom(testSeed());
    const recorded = { recorded: 0, outdated: 0 };
    const rounds = roundsHere({ short: 15, ci: 60 });
    const lacksSome = () => Object.values(recorded).includes(0);
    for (let round = 0; round < rounds || (round < 200 && lacksSome()); round++) {
      const siteId = await putSite(`rush-${round}`, 6, 1);
      const model = createSiteModel([6, 1]);
      for (let wave = 0; wave < 4; wave++) {
        const place = model.classes[0] as ModelClass;
        place.foreign = random.int(0, Math.max(0, model.emptyDoors(0) + place.foreign));
        clock.advance(1);
        const snapshot = model.observe(clock.now(), 300);
        for (const parcel of model.parcels) {
          clock.advance(1);
          if (parcel.is === "held" && model.emptyDoors(0) > 0) Object.assign(parcel, { is: "inside" }).movedAtMs.inside = clock.now();
          else if (parcel.is === "inside" && random.bool(0.3)) Object.assign(parcel, { is: "over" }).movedAtMs.over = clock.now();
        }
        const promisable = [model.promisable(0)];
        const rush = random.shuffle([
          ...Array.from({ length: 8 }, () => async () => await hold(random.pick(gatewayRecords), siteId, requests++, [0])),
          ...model.unrecorded().map((parcel) => async () => await recordStep(random.pick(gatewayRecords), siteId, parcel)),
          async () => await sendReport(random.pick(gatewayRecords), siteId, snapshot, snapshot.observedAtMs, clock.now()),
        ]);
        const outcomes = await Promise.all(
          rush.map(async (act) => {
            // Each starts after a random number of round trips.
            for (let trips = random.int(0, 6); trips > 0; trips--) await readSite(random.pick(gatewayRecords), siteId);
            return await act();
          }),
        );
        const outcome = outcomes.find((one) => typeof one === "string") as keyof typeof recorded;
        recorded[outcome]++;
        if (outcome === "recorded") model.recorded(snapshot, snapshot.observedAtMs);
        promisable.push(model.promisable(0));
        const held = outcomes.filter((one) => typeof one === "object");
        expect(held.length).toBeLessThanOrEqual(Math.max(...promisable));
        model.parcels.push(...held);
        await checkPromises(first(), siteId, model, clock.now());
      }
    }
    for (const count of Object.values(recorded)) expect(count).toBeGreaterThan(0);
  });

  it.each([
    ["collected before it", 1000],
    ["collected at the same time", 0],
  ])("still counts a place of somebody else when a parcel that was %s is recorded as collected afterwards", async (_what, agoMs) => {
    const siteId = await putSite("late", 1, 2);
    const mine = (await hold(first(), siteId, requests++, [1])) as ModelParcel;
    mine.movedAtMs.inside = clock.now();
    await recordStep(first(), siteId, mine);
    clock.advance(1000);
    mine.movedAtMs.over = clock.now();
    clock.advance(agoMs);
    // The content is now somebody else's.
    const classes = [
      { occupied: 0, outOfService: 0, foreign: 0 },
      { occupied: 1, outOfService: 0, foreign: 1 },
    ] as const;
    const seen = { observedAtMs: clock.now(), ttlS: 60, classes: [...classes] };
    expect(await sendReport(first(), siteId, seen, seen.observedAtMs, clock.now())).toBe("recorded");
    expect(await offered(first(), siteId, 1, clock.now())).toBe(1);
    await recordStep(first(), siteId, mine);
    expect(await offered(first(), siteId, 1, clock.now())).toBe(1);
  });

  it("is outdated if it is older than the last movement, in whatever order movements are recorded", async () => {
    const siteId = await putSite("order", 3, 3);
    const parcels = [await hold(first(), siteId, requests++, [0]), await hold(first(), siteId, requests++, [0])] as ModelParcel[];
    for (const parcel of parcels) {
      clock.advance(2000);
      parcel.movedAtMs.inside = clock.now();
    }
    for (const parcel of parcels.toReversed()) await recordStep(first(), siteId, parcel);
    const place = { occupied: 1, outOfService: 0, foreign: 0 };
    const outcomes: string[] = [];
    for (const observedAtMs of [clock.now() - 1000, clock.now(), clock.now() + 1]) {
      outcomes.push(await sendReport(first(), siteId, { observedAtMs, ttlS: 60, classes: [place, place] }, observedAtMs, observedAtMs));
    }
    expect(outcomes).toEqual(["outdated", "outdated", "recorded"]);
  });

  it("that counted fewer parcels than were recorded is exact once their collection is recorded", async () => {
    const siteId = await putSite("fewer", 1, 2);
    const parcels = [await hold(first(), siteId, requests++, [1]), await hold(first(), siteId, requests++, [1])] as ModelParcel[];
    for (const parcel of parcels) {
      parcel.movedAtMs.inside = clock.now();
      await recordStep(first(), siteId, parcel);
      parcel.movedAtMs.over = clock.now() + 1;
    }
    clock.advance(1000);
    const empty = { occupied: 0, outOfService: 0, foreign: 0 };
    const seen = { observedAtMs: clock.now(), ttlS: 60, classes: [empty, empty] };
    expect(await sendReport(first(), siteId, seen, seen.observedAtMs, clock.now())).toBe("recorded");
    const free = [await offered(first(), siteId, 1)];
    for (const parcel of parcels) {
      await recordStep(first(), siteId, parcel);
      free.push(await offered(first(), siteId, 1));
    }
    expect(free).toEqual([0, 1, 2]);
  });

  it("is valid for exactly its ttl, and has the same outcome when it is repeated at any time", async () => {
    const siteId = await putSite("ttl", 3, 3);
    const free = { occupied: 1, outOfService: 1, foreign: 1 };
    clock.set(clock.now() + 700);
    const observedAtMs = clock.now();
    const seen = { observedAtMs, ttlS: 60, classes: [free, free] };
    const send = (nowMs: number) => sendReport(first(), siteId, seen, observedAtMs, nowMs);
    expect(await send(observedAtMs)).toBe("recorded");
    // Times are truncated to seconds: 60 s after the second in which it was observed.
    const endsMs = observedAtMs - 700 + 60_000;
    for (const [knownAtMs, expected] of [
      [observedAtMs - 30_000, 1],
      [endsMs - 1, 1],
      [endsMs, 0],
      [endsMs + 3_600_000, 0],
      [undefined, 1],
    ] as const) {
      expect([knownAtMs, await offered(first(), siteId, 0, knownAtMs)]).toEqual([knownAtMs, expected]);
    }
    expect(await send(endsMs)).toBe("recorded");
    const late = { ...seen, observedAtMs: observedAtMs + 1 };
    expect(await sendReport(first(), siteId, late, late.observedAtMs, endsMs)).toBe("outdated");
    expect(await sendReport(first(), siteId, late, late.observedAtMs, endsMs - 1)).toBe("recorded");
    expect(await send(endsMs)).toBe("outdated");
  });

  it("is not valid any more after the site's places have changed, or the reporting has ended", async () => {
    const siteId = await putSite("changed", 3, 3);
    const free = { occupied: 1, outOfService: 1, foreign: 1 };
    const seen = { observedAtMs: clock.now(), ttlS: 300, classes: [free, free] };
    await sendReport(first(), siteId, seen, seen.observedAtMs, clock.now());
    const { site } = await readSite(first(), siteId);
    await rewrite(first(), siteId, { name: "Another name", position: create(LatLngSchema, elsewhere) }, 0);
    expect(await offered(first(), siteId, 0, clock.now())).toBe(1);
    const [small, large] = site.sizeClasses;
    await rewrite(first(), siteId, { sizeClasses: [large, small].filter((sizeClass) => sizeClass !== undefined) }, 0);
    expect([await offered(first(), siteId, 0, clock.now()), (await readSite(first(), siteId)).observation?.ttlMs]).toEqual([0, 0]);
    expect(await sendReport(first(), siteId, "reporting_ended", seen.observedAtMs, clock.now())).toBe("outdated");
    expect(await sendReport(first(), siteId, "reporting_ended", seen.observedAtMs + 1, clock.now())).toBe("recorded");
    expect(await offered(first(), siteId, 0, clock.now())).toBe(3);
    expect((await readSite(first(), siteId)).observation).toBeUndefined();
  });
});
