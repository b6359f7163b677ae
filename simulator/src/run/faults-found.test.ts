import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CustodyService,
  type DayOfWeek,
  DirectoryService,
  type Event,
  EventType,
  Role,
  SiteLifecycle,
  type SiteOption,
} from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { keyFileOf } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Observation, ViolationFound } from "../observe/observation.ts";
import { judge } from "../oracle/testing/stream.ts";
import type { Intention } from "../trace/intention.ts";
import type { CityRun } from "./city-run.ts";
import { type AnswerFault, type FaultyGateway, faultIn, startFaultyGateway } from "./testing/faulty-gateway.ts";
import { center, countBy, headerOf, hourMs, intentionOf, runTiny, startTinyCity, type TinyCity } from "./testing/tiny-city.ts";

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

/** Three returns at one site, that are taken back: the third comes when the first has gone. */
function returns(facts: Partial<Intention> = {}): Intention[] {
  const usual = {
    purpose: "RETURN",
    collectBy: "RECALL",
    siteRef: "site-0",
    depositAfterMs: 10 * minuteMs,
    stayMs: hourMs,
    ...facts,
  } as const;
  return [0, 5, 150].map((minutes, index) => intentionOf(index + 1, minutes * minuteMs, usual));
}

/** One of them. */
const few = (facts: Partial<Intention> = {}) => returns(facts).slice(0, 1);

/** Runs a trace while the gateway has faults. Returns what was observed, and what an oracle finds in it. */
async function runWith(
  faults: readonly AnswerFault[],
  intentions = returns(),
  more: Partial<CityRun> = {},
): Promise<{ seen: Observation[]; found: ViolationFound[] }> {
  gateway.faults = faults;
  const { seen } = await runTiny(
    city,
    { header: headerOf(4), intentions },
    { gateway: { url: gateway.url, protocol: "connect" }, pace: { clock: "driven", stepMs: 5 * minuteMs }, ...more },
  );
  return { seen, found: judge(seen, { isAlone: true }) };
}

/** A fault in the events of a feed. */
const inEvents = (change: (events: Event[]) => Event[]) =>
  faultIn(CustodyService.method.listEvents, (page) => {
    page.events = change(page.events);
  });
const inFirstOffer = (change: (option: SiteOption) => void) =>
  faultIn(DirectoryService.method.findNearest, ({ options: [first] }) => {
    if (first !== undefined) change(first);
  });
/** A fault that is made the first time that it can. */
function once<T>(change: (items: T[]) => T[] | undefined): (items: T[]) => T[] {
  let isMade = false;
  return (items) => {
    const changed = isMade ? undefined : change(items);
    isMade ||= changed !== undefined;
    return changed ?? items;
  };
}
/** Without the first event of a type. */
const without = (type: EventType) =>
  once<Event>((events) => {
    const index = events.findIndex((event) => event.type === type);
    return index < 0 ? undefined : events.toSpliced(index, 1);
  });

describe("a run against a gateway", () => {
  it("that has no faults breaks no rule, and there was something to judge", async () => {
    const { seen, found } = await runWith([]);
    expect(found).toEqual([]);
    const kinds = countBy(seen, ({ kind }) => kind);
    expect(kinds).toMatchObject({
      given: 3,
      door: 6,
      chain: 3,
      offer: expect.any(Number),
      reported: expect.any(Number),
      counts: expect.any(Number),
    });
    expect(
      countBy(
        seen.filter((one) => one.kind === "ended"),
        ({ end }) => end,
      ),
    ).toEqual({ recalled: 3 });
  });

  it("that does not answer for a moment is asked again", async () => {
    let left = 3;
    const gone = faultIn(DirectoryService.method.listSites, () => {
      if (--left === 1 || left === 0) throw new Error("the connection breaks");
    });
    const { seen, found } = await runWith([gone], few());
    expect([left, seen.at(-1), found]).toEqual([expect.any(Number), expect.objectContaining({ end: "complete" }), []]);
    expect(left).toBeLessThan(0);
  });

  it("that gives a place twice is found out, with both reservations", async () => {
    // It says that there is one place, and gives two.
    const one = faultIn(DirectoryService.method.listSites, ({ sites }) => {
      for (const {
        sizeClasses: [small],
      } of sites)
        if (small !== undefined) small.installed = 1;
    });
    const counts = faultIn(DirectoryService.method.getAvailability, ({ availabilities }) => {
      for (const {
        sizeClasses: [small],
      } of availabilities) {
        if (small !== undefined) Object.assign(small, { installed: 1, inService: 1, freeToPromise: small.freeToPromise > 1 ? 1 : 0 });
      }
    });
    const offers = faultIn(DirectoryService.method.findNearest, ({ options }) => {
      for (const option of options) if (option.sizeClassId === "S") option.freeToPromise = 1;
    });
    const { found } = await runWith([one, counts, offers]);
    const twice = found.filter(({ rule }) => rule === "place-given-twice");
    expect(twice[0]).toMatchObject({ intentions: [1, 2] });
    expect(twice[0]?.evidence.map(({ kind }) => kind)).toEqual(["given", "given"]);
    // What follows from that.
    expect(Object.keys(countBy(found, ({ rule }) => rule)).filter((rule) => !["place-given-twice", "offered-full"].includes(rule))).toEqual(
      [],
    );
  });

  it("that loses an event is found out by the gap in its numbers", async () => {
    const { found } = await runWith([inEvents(without(EventType.PARCEL_DEPOSITED))], few());
    expect(found.map(({ rule }) => rule)).toEqual(["event-lost", "door-event-missing"]);
    expect(found[0]?.text).toMatch(/does not have the event with number \d+: \d+ is followed by \d+\./);
    expect(found[0]?.intentions).not.toEqual([]);
  });

  it("that loses an event and hides the gap is found out by the door", async () => {
    const lose = without(EventType.PARCEL_RECALLED);
    let hidden = 0n;
    const hiding = inEvents((events) => {
      const left = lose(events);
      hidden += BigInt(events.length - left.length);
      for (const event of left) event.feedNumber -= hidden;
      return left;
    });
    const { found } = await runWith([hiding], few());
    const missing = found.filter(({ rule }) => rule === "door-event-missing");
    expect(missing).toHaveLength(1);
    expect(missing[0]?.evidence).toContainEqual(expect.objectContaining({ kind: "door", act: "RECALL", isInside: false }));
  });

  it("that sends an event twice, and two in the wrong order, is found out", async () => {
    const double = once<Event>(([first, ...rest]) => (first === undefined ? undefined : [first, first, ...rest]));
    const swap = once<Event>(([one, two, ...rest]) => (one === undefined || two === undefined ? undefined : [two, one, ...rest]));
    let pages = 0;
    const { found } = await runWith([inEvents((events) => (events.length > 0 && ++pages > 1 ? swap(events) : double(events)))], few());
    expect([...new Set(found.map(({ rule }) => rule))].sort()).toEqual(["event-doubled", "event-out-of-order"]);
  });

  it("whose counts are one off is found out", async () => {
    let samples = 0;
    const off = faultIn(DirectoryService.method.getAvailability, ({ availabilities: [first] }) => {
      const [small] = first?.sizeClasses ?? [];
      if (++samples !== 2 || small === undefined) return;
      small.held += 1;
      small.freeToPromise -= 1;
    });
    const { found } = await runWith([off], few({ stayMs: 3 * hourMs }));
    expect(found.map(({ rule }) => rule)).toEqual(["count-differs"]);
    expect(found[0]?.text).toMatch(/states \d held places in all, and by the events it has \d\./);
  });

  it("that offers what is too small, full, out of date or out of service is found out", async () => {
    const large = { widthMm: 350, heightMm: 350, depthMm: 350, change: "LEAVES" } as const;
    const broken = async (...faults: AnswerFault[]) => {
      const { found } = await runWith(faults, few(large));
      return found.map(({ rule }) => rule);
    };
    const paused = faultIn(DirectoryService.method.listSites, ({ sites }) => {
      for (const site of sites) site.lifecycle = SiteLifecycle.MAINTENANCE;
    });
    expect(await broken(inFirstOffer((option) => Object.assign(option, { sizeClassId: "S" })))).toEqual(["offered-too-small"]);
    expect(await broken(inFirstOffer((option) => Object.assign(option, { freeToPromise: 0 })))).toEqual(["offered-full"]);
    const longAgo = timestampFromMs(Date.UTC(2026, 0, 1));
    expect(await broken(inFirstOffer((option) => Object.assign(option, { observedAt: longAgo })))).toEqual(["offered-stale"]);
    expect(await broken(paused)).toContain("offered-closed");
  });

  it("that offers a site which is closed at the hour that was asked for is found out", async () => {
    const operator = await city.network.join("Operator", [Role.OPERATOR]);
    const hours = ([1, 2, 3, 4, 5, 6, 7] as DayOfWeek[]).map((day) => ({
      openDay: day,
      openMinute: 9 * 60,
      closeDay: day,
      closeMinute: 17 * 60,
    }));
    const siteId = await city.network.putSite(operator, makeSite({ ...center, ref: "by day" }, { openingHours: { weekly: hours } }));
    const operators = new Map([...city.operators, [operator.participantId, keyFileOf(operator)]]);
    // From 06:00 on, they come at 22:00.
    const evening = { change: "LEAVES", purpose: "RETURN", depositAfterMs: 16 * hourMs } as const;
    const look = async (asksOpenShare: number, ...faults: AnswerFault[]) => {
      const { seen, found } = await runWith(faults, few(evening), { operators, actors: { asksOpenShare } });
      return { offered: seen.some((one) => one.kind === "offer" && one.siteId === siteId), rules: found.map(({ rule }) => rule) };
    };
    let closed: SiteOption | undefined;
    const noting = faultIn(DirectoryService.method.findNearest, ({ options }) => {
      closed ??= options.find(({ site }) => site?.siteId === siteId);
    });
    const offering = faultIn(DirectoryService.method.findNearest, ({ options }) => {
      const [first] = options;
      if (closed !== undefined && first !== undefined) options.push({ ...closed, observedAt: first.observedAt, ttl: first.ttl });
    });
    expect(await look(0, noting)).toEqual({ offered: true, rules: [] });
    expect(await look(1)).toEqual({ offered: false, rules: [] });
    expect(await look(1, offering)).toEqual({ offered: true, rules: ["offered-closed"] });
  });
});
