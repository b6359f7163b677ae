import { CustodyService, DirectoryService, EventType } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noFaults } from "../actors/parameters.ts";
import type { OracleOptions } from "../oracle/options.ts";
import { judge } from "../oracle/testing/stream.ts";
import { memberOf } from "../process-group/process-group.ts";
import type { Intention } from "../trace/intention.ts";
import { type AnswerFault, type FaultyGateway, faultIn, startFaultyGateway } from "./testing/faulty-gateway.ts";
import { runTogether } from "./testing/run-together.ts";
import { countBy, headerOf, hourMs, intentionOf, startTinyCity, type TinyCity } from "./testing/tiny-city.ts";

const size = 2;
const minuteMs = 60_000;
const redis = useRedis();
let city: TinyCity;
let gateway: FaultyGateway;
beforeAll(async () => {
  city = await startTinyCity(redis, { sites: 2, places: 2, agentSyncIntervalMs: 24 * hourMs });
  gateway = await startFaultyGateway(city.network.baseUrl);
});
afterAll(async () => {
  await gateway.stop();
  await city.network.stop();
});

/** Somebody of each member at each site: whoever has the door there, one of them must go to the other member's. */
function returns(facts: Partial<Intention>): Intention[] {
  const people = [0, 1].map((member) => ["Ann", "Bob", "Cem", "Dee", "Eva"].find((name) => memberOf({ size }, name) === member) as string);
  const usual = { purpose: "RETURN", collectBy: "RECALL", depositAfterMs: 20 * minuteMs, patienceMs: 60_000, ...facts } as const;
  return ["site-0", "site-1"].flatMap((siteRef, site) =>
    people.map((person, member) => intentionOf(2 * site + member + 1, (2 * site + member) * minuteMs, { ...usual, siteRef, person })),
  );
}

/** Runs them by two members, an hour in a second, while the gateway has faults. */
async function runWith(faults: readonly AnswerFault[], facts: Partial<Intention>, judgedBy: OracleOptions = {}) {
  gateway.faults = faults;
  const together = await runTogether(size, {
    trace: { header: headerOf(4), intentions: returns(facts) },
    gateway: { url: gateway.url, protocol: "connect" },
    couriers: city.couriers,
    operators: city.operators,
    pace: { clock: "wall", speed: 3600 },
    untilMs: Number.POSITIVE_INFINITY,
    faults: noFaults,
    inFlightMax: 100,
    signal: new AbortController().signal,
  });
  return { ...together, found: judge(together.seen, { isAlone: true, ...judgedBy }) };
}

it("two members bring parcels to each other's doors, and break no rule", async () => {
  const { seen, ended, visits, found } = await runWith([], { stayMs: hourMs });
  expect(found).toEqual([]);
  expect(ended.map(({ end }) => end)).toEqual(["complete", "complete"]);
  const ends = seen.filter((one) => one.kind === "ended");
  expect(ends.map(({ intention, end }) => [intention, end]).toSorted()).toEqual([1, 2, 3, 4].map((id) => [id, "recalled"]));
  // To bring it and to take it back.
  expect(visits).toBeGreaterThanOrEqual(4);
  expect(countBy(seen, ({ kind }) => kind)).toMatchObject({ door: 8, reported: expect.any(Number), event: expect.any(Number), given: 4 });
});

it("an event that is lost, and a place that two members were given, are found out", async () => {
  let lost: string | undefined;
  const losing = faultIn(CustodyService.method.listEvents, (page) => {
    lost ??= page.events.find(({ type }) => type === EventType.PARCEL_DEPOSITED)?.eventId;
    page.events = page.events.filter(({ eventId }) => eventId !== lost);
  });
  const single = faultIn(DirectoryService.method.listSites, ({ sites }) => {
    for (const [small] of sites.map(({ sizeClasses }) => sizeClasses)) if (small !== undefined) small.installed = 1;
  });
  // Who finds no place at the door gives theirs back after two more attempts, 4 s later.
  const { found } = await runWith([losing, single], { stayMs: null }, { toleranceMs: 1000 });
  const rules = found.map(({ rule }) => rule);
  expect(rules).toContain("event-lost");
  expect(rules).toContain("door-event-missing");
  const twice = found.filter(({ rule }) => rule === "place-given-twice").map(({ intentions }) => intentions);
  expect(twice.toSorted()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
