import { describe, expect, it } from "vitest";
import type { EventSeen, Observation, SiteSeen } from "../observe/observation.ts";
import { Courier, call, counts, door, hourMs, judge, life, minuteMs, offer, rulesBroken, site, startMs } from "./testing/stream.ts";

const at = (minutes: number) => startMs + minutes * minuteMs;
const freed = (number: number, atMs: number): Observation => ({ kind: "freed", intention: number, atMs, reservationId: `res_${number}` });

const directory = (atMs: number): Observation => ({ kind: "directory", atMs });

/** Observations of one courier, whose feed is being read already. The feed is read to its end behind them. */
function stream(make: (courier: Courier) => Iterable<Observation>, facts: SiteSeen = site): Observation[] {
  const courier = new Courier();
  const end = at(24 * 60);
  return [facts, courier.read(startMs), ...make(courier), directory(end), directory(end), ...courier.reads(end)];
}

/** Lives of which one observation is replaced. */
function changed(where: (observation: Observation) => boolean, by: (observation: Observation) => Observation[]): Observation[] {
  let isDone = false;
  return stream((courier) => life(courier, 1)).flatMap((observation) => {
    if (isDone || !where(observation)) return [observation];
    isDone = true;
    return by(observation);
  });
}
const eventOf = (type: string) => (observation: Observation) => observation.kind === "event" && observation.type === type;

describe("a network that keeps its promises", () => {
  it("breaks no rule", () => {
    expect(judge(stream((courier) => [...life(courier, 1), ...life(courier, 2), ...life(courier, 3, at(60))]))).toEqual([]);
  });

  it("breaks none if its feed is not read at all", () => {
    const without = stream((courier) => life(courier, 1)).filter(({ kind }) => kind !== "event" && kind !== "feed");
    expect(judge(without)).toEqual([]);
  });
});

describe("place-given-twice", () => {
  const three = (courier: Courier, lastMs: number, between: () => Observation[] = () => []) => [
    courier.given(1, at(0)),
    courier.event("res_1", 1, "RESERVATION_HELD", "HELD", at(0)),
    courier.given(2, at(1)),
    courier.event("res_2", 1, "RESERVATION_HELD", "HELD", at(1)),
    ...between(),
    courier.given(3, lastMs),
    courier.event("res_3", 1, "RESERVATION_HELD", "HELD", lastMs),
  ];

  it("is broken by one more promise than there are places, and names all of them", () => {
    const [violation, ...more] = judge(stream((courier) => three(courier, at(2))));
    expect(more).toEqual([]);
    expect(violation).toMatchObject({ rule: "place-given-twice", intentions: [1, 2, 3] });
    expect(violation?.text).toBe("The site site_1 has 2 places of size class S, and 3 reservations have one, at last res_3.");
    expect(violation?.evidence.map(({ kind }) => kind)).toEqual(["given", "given", "given"]);
  });

  it("is broken by a promise for the place of a parcel that is still inside", () => {
    const inside = (courier: Courier) => [
      door(1, "DEPOSIT", at(2)),
      courier.event("res_1", 2, "RESERVATION_CONFIRMED", "CONFIRMED", at(2)),
    ];
    expect(rulesBroken(stream((courier) => three(courier, at(3), () => inside(courier))))).toEqual(["place-given-twice"]);
  });

  it("is not broken where a place was freed before, though the answer to that came later", () => {
    expect(rulesBroken(stream((courier) => three(courier, at(2), () => [freed(1, at(2))])))).toEqual([]);
  });

  it("is not broken where a hold had expired of which the event is read later, up to the tolerance", () => {
    const late = (expiredMs: number) =>
      stream((courier) => [...three(courier, at(2)), courier.event("res_1", 2, "RESERVATION_EXPIRED", "EXPIRED", expiredMs)]);
    expect(rulesBroken(late(at(2)))).toEqual([]);
    expect(rulesBroken(late(at(2) + 5000))).toEqual([]);
    expect(rulesBroken(late(at(2) + 5001))).toEqual(["place-given-twice"]);
  });

  it("is not broken at another site or in another size class", () => {
    const last = (more: object) =>
      stream((courier) => three(courier, at(2)).map((one) => (one.kind === "given" && one.intention === 3 ? { ...one, ...more } : one)));
    expect(rulesBroken(last({ sizeClassId: "L" }))).toEqual([]);
    expect(rulesBroken(last({ siteId: "site_2" }))).toEqual([]);
  });

  it("is broken by one compartment for two, though there are places enough", () => {
    const two = (compartmentId: string) =>
      stream((courier) => [
        courier.given(1, at(0), { compartmentId: "S-1" }),
        courier.event("res_1", 1, "RESERVATION_HELD", "HELD", at(0)),
        courier.given(2, at(1), { compartmentId }),
        courier.event("res_2", 1, "RESERVATION_HELD", "HELD", at(1)),
      ]);
    expect(rulesBroken(two("S-1"))).toEqual(["place-given-twice"]);
    expect(rulesBroken(two("S-2"))).toEqual([]);
  });

  it("is broken by a door that opens for one parcel and holds another", () => {
    const second = (compartmentId: string) =>
      stream((courier) => [
        ...life(courier, 1).take(9),
        ...life(courier, 2, at(30)).take(5),
        door(2, "DEPOSIT", at(50), { compartmentId }),
      ]);
    expect(rulesBroken(second("S-1"))).toEqual(["place-given-twice"]);
    expect(rulesBroken(second("S-2"))).toEqual([]);
  });
});

describe("spent-token-opened", () => {
  const again = (act: "DEPOSIT" | "COLLECT", more: object = {}, minutesLater = 10) =>
    stream((courier) => {
      const all = [...life(courier, 1)];
      const first = all.find((one) => one.kind === "door" && one.act === act) as Extract<Observation, { kind: "door" }>;
      return [...all, { ...first, atMs: first.atMs + minutesLater * minuteMs, ...more }];
    });

  it("is broken by a credential that opens again, at any time later", () => {
    expect(rulesBroken(again("DEPOSIT", {}, 0))).toEqual(["spent-token-opened"]);
    expect(rulesBroken(again("DEPOSIT", {}, 7 * 24 * 60))).toEqual(["spent-token-opened"]);
    expect(judge(again("COLLECT"))[0]).toMatchObject({ rule: "spent-token-opened", intentions: [1] });
    expect(judge(again("COLLECT"))[0]?.text).toBe(
      "At the site site_1, a token for COLLECT that had opened the compartment S-1 opened the compartment S-1.",
    );
  });

  it("is not broken if it is refused", () => {
    expect(rulesBroken(again("COLLECT", { opened: false, refusal: "SPENT", compartmentId: undefined, isInside: undefined }))).toEqual([]);
  });

  it("is not broken if a door did not open at first", () => {
    const jammed = changed(
      (one) => one.kind === "door",
      (one) => [{ ...one, opened: false, refusal: "OUT_OF_ORDER", isInside: undefined } as unknown as Observation, one],
    );
    expect(rulesBroken(jammed)).toEqual([]);
  });

  it("allows a second and third opening of the same door within the grace period where a sensor may be blind", () => {
    const options = { hasBlindSensors: true };
    const uses = (...seconds: number[]) =>
      changed(
        (one) => one.kind === "door",
        (one) => [one, ...seconds.map((s) => ({ ...one, atMs: (one as { atMs: number }).atMs + s * 1000 }) as Observation)],
      );
    expect(rulesBroken(uses(125), options)).toEqual([]);
    expect(rulesBroken(uses(126), options)).toEqual(["spent-token-opened"]);
    expect(rulesBroken(uses(10, 20), options)).toEqual([]);
    expect(rulesBroken(uses(10, 20, 30), options)).toEqual(["spent-token-opened"]);
  });
});

describe("opened-without-right", () => {
  const only = (...doors: Observation[]) => stream((courier) => [...life(courier, 1).take(5), ...doors]);

  it("is broken by a door at another site than that of the place", () => {
    expect(rulesBroken(only(door(1, "DEPOSIT", at(20), { siteId: "site_2" })))).toEqual(["opened-without-right"]);
  });

  it("is broken by a door for a reservation that has no place", () => {
    expect(rulesBroken(only(door(7, "DEPOSIT", at(20))))).toEqual(["opened-without-right"]);
  });

  it("is broken by a second token to deposit, and by one to collect where nothing was put in", () => {
    expect(rulesBroken(only(door(1, "DEPOSIT", at(20)), door(1, "DEPOSIT", at(30), { credentialHash: "other" })))).toEqual([
      "opened-without-right",
    ]);
    expect(rulesBroken(only(door(1, "COLLECT", at(20))))).toEqual(["opened-without-right"]);
    expect(
      rulesBroken(only(door(1, "DEPOSIT", at(20), { isInside: false }), door(1, "DEPOSIT", at(30), { credentialHash: "other" }))),
    ).toEqual([]);
  });

  it("is broken by a second collection, and by one at another door", () => {
    const second = stream((courier) => [...life(courier, 1), door(1, "COLLECT", at(50), { credentialHash: "other" })]);
    expect(rulesBroken(second)).toEqual(["opened-without-right"]);
    expect(rulesBroken(only(door(1, "DEPOSIT", at(20)), door(1, "COLLECT", at(30), { compartmentId: "S-2" })))).toEqual([
      "opened-without-right",
    ]);
  });

  it("is broken by another compartment than the one that was promised", () => {
    const hard = (compartmentId: string) =>
      stream((courier) => life(courier, 1).map((one) => (one.kind === "given" ? { ...one, compartmentId } : one)));
    expect(rulesBroken(hard("S-1"))).toEqual([]);
    expect(rulesBroken(hard("S-2"))).toEqual(["opened-without-right"]);
  });

  it("is broken by a deposit after the end, once the site has asked what changed, and not before or without the network", () => {
    const after = (syncMs: number, openedMs: number, more: object = {}) =>
      stream((courier) => [
        ...life(courier, 1).take(5),
        freed(1, at(20)),
        call(1, "cancel", at(20)),
        courier.event("res_1", 3, "RESERVATION_CANCELLED", "CANCELLED", at(20)),
        call(0, "sync", syncMs, { siteId: "site_1" }),
        door(1, "DEPOSIT", openedMs, more),
      ]);
    expect(rulesBroken(after(at(21), at(22)))).toEqual(["opened-without-right"]);
    expect(rulesBroken(after(at(21), at(22), { offline: true }))).toEqual([]);
    expect(rulesBroken(after(at(20) + 5000, at(22)))).toEqual([]);
    expect(rulesBroken(after(at(21), at(21) + 5000))).toEqual([]);
  });
});

describe("door-event-missing", () => {
  const without = (type: string) => changed(eventOf(type), () => []).map(renumbered());

  it("is broken if a terminal reported a parcel and no event tells of it, though the feed has no gap", () => {
    const violations = judge(without("PARCEL_COLLECTED"));
    expect(violations.map(({ rule }) => rule)).toEqual(["door-event-missing"]);
    expect(violations[0]).toMatchObject({ intentions: [1] });
    expect(rulesBroken(without("PARCEL_DEPOSITED"))).toEqual(["door-event-missing", "event-out-of-order"]);
  });

  it("is not broken before the terminal has reported, nor if the reservation is in doubt instead", () => {
    const unreported = without("PARCEL_COLLECTED").filter((one) => one.kind !== "reported" || one.atMs < at(30));
    expect(rulesBroken(unreported)).toEqual([]);
    const doubted = changed(eventOf("PARCEL_COLLECTED"), (one) => [
      { ...(one as EventSeen), type: "RESERVATION_IN_DOUBT", stateAfter: "IN_DOUBT" },
    ]);
    expect(rulesBroken(doubted)).toEqual([]);
  });

  it("is not broken while the feed was not read after the report", () => {
    const unread = without("PARCEL_COLLECTED").filter((one) => one.kind !== "feed" || one.atMs <= at(30));
    expect(rulesBroken(unread)).toEqual([]);
  });
});

/** Gives the events of the feed the numbers that they would have if nothing were missing. */
function renumbered(): (observation: Observation) => Observation {
  let number = 0;
  return (one) => (one.kind === "event" ? { ...one, feedNumber: ++number } : one);
}

describe("event-lost", () => {
  it("is broken by a number that is missing, whatever the event was", () => {
    const violations = judge(changed(eventOf("CREDENTIAL_ISSUED"), () => []));
    expect(violations.map(({ rule }) => rule)).toEqual(["event-lost"]);
    expect(violations[0]?.text).toBe("The feed of par_courier does not have the event with number 3: 2 is followed by 4.");
    expect(violations[0]?.intentions).toEqual([1]);
  });

  it("is broken by a confirmation and a cancellation that no event tells of, though there is no gap", () => {
    const cancelled = (courier: Courier) => [...life(courier, 1).take(5), freed(1, at(20)), call(1, "cancel", at(20))];
    expect(rulesBroken(stream(cancelled))).toEqual(["event-lost"]);
    expect(
      rulesBroken(stream((courier) => [...cancelled(courier), courier.event("res_1", 3, "RESERVATION_CANCELLED", "CANCELLED", at(20))])),
    ).toEqual([]);
    expect(rulesBroken(stream((courier) => life(courier, 1).take(3)))).toEqual(["event-lost"]);
    expect(rulesBroken(stream((courier) => [courier.given(1, at(0))]))).toEqual(["event-lost"]);
  });

  it.each(["cancel", "redirect"] as const)(
    "is broken by an end that no event tells of, though the reservation only ever was in the queue: %s",
    (operation) => {
      const queued = (courier: Courier) => [courier.event("res_1", 1, "RESERVATION_QUEUED", "QUEUED", at(0)), call(1, operation, at(1))];
      expect(rulesBroken(stream(queued))).toEqual(["event-lost"]);
      const told = (courier: Courier) => courier.event("res_1", 2, "RESERVATION_CANCELLED", "CANCELLED", at(1));
      expect(rulesBroken(stream((courier) => [...queued(courier), told(courier)]))).toEqual([]);
    },
  );

  it("is not broken by calls that failed, nor by a feed that begins in the middle", () => {
    expect(rulesBroken(stream((courier) => [...life(courier, 1).take(5), call(1, "cancel", at(20), { outcome: "UNAVAILABLE" })]))).toEqual(
      [],
    );
    const middle = [site, ...life(new Courier(), 1).drop(5), ...new Courier().reads(at(99))].filter(({ kind }) => kind !== "door");
    expect(rulesBroken(middle)).toEqual([]);
  });
});

describe("event-doubled", () => {
  it("is broken by an event that comes again, under its own number or the next", () => {
    expect(rulesBroken(changed(eventOf("PARCEL_DEPOSITED"), (one) => [one, one]))).toEqual(["event-doubled"]);
    expect(rulesBroken(changed(eventOf("PARCEL_DEPOSITED"), (one) => [one, one]).map(renumbered()))).toEqual(["event-doubled"]);
  });

  it("is not broken by the same event in the feed of another participant", () => {
    const operator = (one: Observation): Observation[] =>
      one.kind === "event" || one.kind === "feed" ? [one, { ...one, participantId: "par_operator" }] : [one];
    expect(rulesBroken(stream((courier) => life(courier, 1)).flatMap(operator))).toEqual([]);
  });
});

describe("event-out-of-order", () => {
  it("is broken by two events that are swapped", () => {
    const all = stream((courier) => life(courier, 1));
    const [first, second] = [all.findIndex(eventOf("RESERVATION_CONFIRMED")), all.findIndex(eventOf("CREDENTIAL_ISSUED"))];
    const swapped = all.with(first, all[second] as Observation).with(second, all[first] as Observation);
    expect(rulesBroken(swapped)).toEqual(["event-out-of-order"]);
  });

  it("is broken by two events with one number", () => {
    const same = changed(eventOf("CREDENTIAL_ISSUED"), (one) => [one, { ...(one as EventSeen), eventId: "evt_other" }]);
    expect(rulesBroken(same)).toEqual(["event-out-of-order"]);
  });

  it.each<[what: string, change: Partial<EventSeen>]>([
    ["a state that no transition leads to", { stateAfter: "REJECTED" }],
    ["a state that another event leads to", { stateAfter: "CANCELLED" }],
    ["a new state with the old revision", { revision: 1 }],
    ["a revision that leaves one out", { revision: 3 }],
    ["a revision that goes back", { revision: 0 }],
  ])("is broken by %s", (_, change) => {
    const wrong = changed(eventOf("RESERVATION_CONFIRMED"), (one) => [{ ...(one as EventSeen), ...change }]);
    expect(rulesBroken(wrong)).toContain("event-out-of-order");
  });

  it("is not broken by a revision that changes no state, nor in an operator's feed that does not have every event", () => {
    const amended = (courier: Courier) => [
      ...life(courier, 1).take(4),
      courier.event("res_1", 3, "RESERVATION_EXTENDED", "CONFIRMED", at(15)),
      courier.event("res_1", 3, "CREDENTIAL_ISSUED", "CONFIRMED", at(16)),
    ];
    expect(rulesBroken(stream(amended))).toEqual([]);
    const operator = new Courier("par_operator");
    const promoted = [
      operator.read(at(0)),
      operator.event("res_1", 2, "RESERVATION_PROMOTED", "HELD", at(11)),
      operator.event("res_1", 7, "PARCEL_COLLECTED", "COLLECTED", at(29)),
    ];
    expect(rulesBroken(stream((courier) => [...life(courier, 1), ...promoted]))).toEqual([]);
  });
});

describe("count-differs", () => {
  const alone = { isAlone: true };
  /** The counts between the deposit and the collection of a parcel. */
  const sampled = (taken: object, more: object = {}, atMs = at(25)) =>
    stream((courier) => [...life(courier, 1)].toSpliced(9, 0, counts(atMs, taken, more)));

  it("is broken by one place too few or too many", () => {
    expect(rulesBroken(sampled({ occupied: 1 }), alone)).toEqual([]);
    expect(rulesBroken(sampled({}), alone)).toEqual(["count-differs"]);
    expect(rulesBroken(sampled({ occupied: 2 }), alone)).toEqual(["count-differs"]);
    expect(rulesBroken(sampled({ held: 1 }), alone)).toEqual(["count-differs"]);
    expect(judge(sampled({}), alone)[0]).toMatchObject({ intentions: [1] });
  });

  it("is broken by the wrong size class", () => {
    const { sizeClasses } = counts(at(25));
    const [small, large] = sizeClasses as [(typeof sizeClasses)[number], (typeof sizeClasses)[number]];
    const wrong = { sizeClasses: [small, { ...large, occupied: 1, freeToPromise: 0 }] };
    expect(rulesBroken(sampled({}, wrong), alone)).toEqual(["count-differs"]);
  });

  it("is not broken by places of others, where others reserve", () => {
    expect(rulesBroken(sampled({ occupied: 2 }))).toEqual([]);
    expect(rulesBroken(sampled({}))).toEqual(["count-differs"]);
  });

  it("is not broken by what was recorded within the tolerance of the counts", () => {
    const around = (ms: number) => ["held", "occupied"].map((kind) => rulesBroken(sampled({ [kind]: 1 }, {}, at(20) + ms), alone));
    expect(around(5000)).toEqual([[], []]);
    expect(around(-5000)).toEqual([[], []]);
    expect(around(5001)).toEqual([["count-differs"], []]);
    expect(around(-5001)).toEqual([[], ["count-differs"]]);
  });

  it("is broken by numbers that do not add up, and by more places than the directory has", () => {
    const classes = (change: object) => ({
      sizeClasses: counts(at(25), { occupied: 1 }).sizeClasses.map((one, index) => (index === 0 ? { ...one, ...change } : one)),
    });
    expect(rulesBroken(sampled({}, classes({ freeToPromise: 2 })))).toEqual(["count-differs"]);
    expect(rulesBroken(sampled({}, classes({ installed: 3, inService: 3, freeToPromise: 2 })))).toEqual(["count-differs"]);
    expect(rulesBroken(sampled({}, classes({ inService: 1, freeToPromise: 0 })))).toEqual([]);
    expect(rulesBroken(sampled({}, { ...classes({ freeToPromise: 2 }), isKnown: false }))).toEqual([]);
  });

  it("is broken by an offer of more free places than can be", () => {
    const offered = (freeToPromise: number) => stream((courier) => [...life(courier, 1)].toSpliced(9, 0, offer(at(25), { freeToPromise })));
    expect(rulesBroken(offered(1))).toEqual([]);
    expect(rulesBroken(offered(2))).toEqual(["count-differs"]);
  });
});

describe("chain-broken", () => {
  it("is broken by a fault and by a chain that is not shown to be complete", () => {
    const chain = (more: object) =>
      changed(
        ({ kind }) => kind === "chain",
        (one) => [{ ...one, ...more } as Observation],
      );
    expect(rulesBroken(chain({ faults: ["SIGNATURE"] }))).toEqual(["chain-broken"]);
    expect(rulesBroken(chain({ isComplete: false }))).toEqual(["chain-broken"]);
    expect(rulesBroken(chain({}))).toEqual([]);
  });
});

describe("what was offered", () => {
  const offered = (more: object, facts: SiteSeen = site) => rulesBroken(stream(() => [offer(at(6 * 60), more)], facts));
  const open = startMs + 4 * hourMs;

  it("offered-closed: open from the first second to before the last, by the site's clock", () => {
    expect(offered({ openAtMs: open })).toEqual([]);
    expect(offered({ openAtMs: open - 1000 })).toEqual([]);
    expect(offered({ openAtMs: open - 2000 })).toEqual(["offered-closed"]);
    expect(offered({ openAtMs: open + 12 * hourMs })).toEqual([]);
    expect(offered({ openAtMs: open + 12 * hourMs + 1000 })).toEqual(["offered-closed"]);
    expect(offered({ openAtMs: open + 5 * 24 * hourMs })).toEqual(["offered-closed"]);
    expect(offered({})).toEqual([]);
  });

  it("offered-closed: not judged where days have other hours; where it is always open; where a version that is read later is open", () => {
    const closed = { openAtMs: open - hourMs };
    expect(offered(closed, { ...site, hasExceptions: true })).toEqual([]);
    const { weekly: _, ...always } = site;
    expect(offered(closed, always)).toEqual([]);
    const longer = { ...site, weekly: [{ openDay: 7, openMinute: 0, closeDay: 6, closeMinute: 1440 }] };
    expect(rulesBroken(stream(() => [offer(at(6 * 60), closed), longer]))).toEqual([]);
  });

  it("offered-closed: a site out of service, unless that it is back is read later", () => {
    const paused = { ...site, isActive: false };
    expect(offered({}, paused)).toEqual(["offered-closed"]);
    const back = (...between: Observation[]) => {
      const courier = new Courier();
      return rulesBroken([
        paused,
        courier.read(startMs),
        offer(at(1)),
        ...between,
        ...courier.reads(at(2)),
        site,
        directory(at(3)),
        ...courier.reads(at(4)),
      ]);
    };
    expect(back(directory(at(1)))).toEqual([]);
    expect(back(directory(at(1)), directory(at(2)))).toEqual(["offered-closed"]);
  });

  it("offered-too-small: in millimetres, in any rotation, and by mass", () => {
    const parcel = { widthMm: 400, heightMm: 300, depthMm: 100, massG: 5000 };
    expect(offered({ parcel: { ...parcel, depthMm: 101 } })).toEqual(["offered-too-small"]);
    expect(offered({ parcel: { ...parcel, massG: 5001 } })).toEqual(["offered-too-small"]);
    expect(offered({ sizeClassId: "XL" })).toEqual(["offered-too-small"]);
    expect(offered({ parcel: { ...parcel, depthMm: 101 }, sizeClassId: "L", freeToPromise: 1 })).toEqual([]);
  });

  it("offered-stale: by counts that had expired when it was asked, unless such were asked for", () => {
    const asked = at(6 * 60);
    const observed = (beforeMs: number) => ({ observedAtMs: asked - minuteMs - beforeMs });
    expect(offered(observed(5000))).toEqual([]);
    expect(offered(observed(5001))).toEqual(["offered-stale"]);
    expect(offered({ ...observed(5001), includesUnknown: true })).toEqual([]);
  });

  it("offered-full: with no free place, or where all are certainly taken during the whole call", () => {
    expect(offered({ freeToPromise: 0 })).toEqual(["offered-full"]);
    const full = (askedMs: number, between: Observation[] = []) =>
      rulesBroken(
        stream((courier) => [
          courier.given(1, at(0), { sizeClassId: "L" }),
          courier.event("res_1", 1, "RESERVATION_HELD", "HELD", at(0)),
          ...between,
          offer(at(5), { sizeClassId: "L", freeToPromise: 1, askedAtMs: askedMs }),
        ]),
      );
    expect(full(at(4))).toEqual(["offered-full"]);
    expect(full(at(0) + 4999)).toEqual([]);
    expect(full(at(4), [freed(1, at(4))])).toEqual([]);
  });
});

describe("evidence", () => {
  it("is at most 20 observations, and violations beyond a thousand of one rule are counted", () => {
    const offers = Array.from({ length: 1005 }, () => offer(at(1), { freeToPromise: 0 }));
    const found = judge(stream(() => offers));
    expect(found).toHaveLength(1001);
    expect(found.at(-1)?.text).toBe("5 more violations of this rule were found and are not listed.");
    const many = { ...site, sizeClasses: [{ ...(site.sizeClasses[0] as SiteSeen["sizeClasses"][number]), installed: 40 }] };
    const all = judge(
      stream(
        (courier) =>
          Array.from({ length: 41 }, (_, index) => [
            courier.given(index + 1, at(index)),
            courier.event(`res_${index + 1}`, 1, "RESERVATION_HELD", "HELD", at(index)),
          ]).flat(),
        many,
      ),
    );
    expect(all.map(({ evidence, intentions }) => [evidence.length, intentions.length])).toEqual([[20, 41]]);
  });
});
