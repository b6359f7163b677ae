import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  CancellationReason,
  fromConnectError,
  LimitKind,
  Mode,
  type PetakError,
  type Reservation,
  ReservationState,
  type ReserveRequestSchema,
  Role,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, type SiteFacts, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const minuteMs = 60_000;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let merchant: TestParticipant;
let other: TestParticipant;

beforeEach(() => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
});

/** Starts a network with sites of the given numbers of places, each about a kilometre farther from the origin. Returns their ids. */
async function start(
  settings: Omit<TestNetworkOptions, "redis">,
  places: readonly number[],
  more: NonNullable<SiteFacts["classes"]> = [],
): Promise<string[]> {
  network = await startTestNetwork({ redis, now: clock.now, ...settings });
  onTestFinished(() => network.stop());
  operator = await network.join("Operator", [Role.OPERATOR]);
  // A refusal is looked at, and not waited for.
  const options = { retry: false } as const;
  merchant = await network.join("Merchant", [Role.MERCHANT, Role.COURIER], Mode.TEST, options);
  other = await network.join("Other", [Role.MERCHANT], Mode.TEST, options);
  const sites = places.map((count, index) =>
    makeSite({ ...origin, latitude: 1.3 + index / 100, ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, count], ...more] }),
  );
  return await network.putSites(operator, ...sites);
}

type Asked = Omit<MessageInitShape<typeof ReserveRequestSchema>, "$typeName">;

async function reserve(by: TestParticipant, place: Asked["place"], more: Asked = {}): Promise<Reservation> {
  const asked: Asked = { requestId: randomUUID(), ...(place && { place }), parcel, ...more };
  const { reservation } = await by.client.reservations.reserve(asked as MessageInitShape<typeof ReserveRequestSchema>);
  return reservation as Reservation;
}

const at = (siteId: string) => ({ case: "siteId", value: siteId }) as const;
const nearest = { case: "nearest", value: { origin, radiusM: 20_000 } } as const;
const confirm = (by: TestParticipant, { reservationId }: Reservation) =>
  by.client.reservations.confirm({ requestId: randomUUID(), reservationId });
const stateOf = async (by: TestParticipant, { reservationId }: Reservation) =>
  (await by.client.reservations.getReservation({ reservationId })).reservation?.state;

async function refusal(work: Promise<unknown>): Promise<PetakError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => fromConnectError(reason as never),
  );
  if (error === undefined) throw new Error("it was not refused");
  return error;
}

/** The numbers of GetLimits for one kind. */
async function numbers(by: TestParticipant, kind: LimitKind, siteId = ""): Promise<number[]> {
  const { limits } = await by.client.participants.getLimits({ siteId });
  const limit = limits.find((one) => one.kind === kind);
  return [limit?.limit, limit?.used, limit?.left].map(Number);
}

describe("one participant", () => {
  it("cannot hold all places of a city: with the default settings, half of each site is left to others", async () => {
    const siteIds = await start({}, [20, 30]);
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, () => reserve(merchant, nearest)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(25);
    const error = await refusal(reserve(merchant, nearest));
    expect([error.reason, error.metadata]).toEqual(["HOLDS_EXHAUSTED", { scope: "site", limit: "15", used: "15" }]);
    // Its holds are of a quarter of an hour.
    expect(error.retryAfterMs).toBe(15 * minuteMs);
    for (const siteId of siteIds) expect((await reserve(other, at(siteId))).siteId).toBe(siteId);
    const [first] = siteIds as [string];
    expect(await numbers(merchant, LimitKind.HOLDS_AT_SITE, first)).toEqual([10, 10, 0]);
    expect(await numbers(merchant, LimitKind.HOLDS_IN_REGION, first)).toEqual([1000, 25, 975]);
    expect(await numbers(merchant, LimitKind.HOLDS_IN_ALL)).toEqual([5000, 25, 4975]);
  });

  it("cannot hold all of the few large places of a site either, while others are free", async () => {
    const large = { widthMm: 500, heightMm: 500, depthMm: 500, massG: 1000 };
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 50 }, [20], [["L", 600, 600, 600, 20_000, 4]]);
    const reserveLarge = (by: TestParticipant) => reserve(by, at(siteId), { parcel: large });
    await reserve(merchant, at(siteId));
    expect([(await reserveLarge(merchant)).sizeClassId, (await reserveLarge(merchant)).sizeClassId]).toEqual(["L", "L"]);
    const error = await refusal(reserveLarge(merchant));
    expect([error.reason, error.metadata]).toEqual(["HOLDS_EXHAUSTED", { scope: "size_class", limit: "2", used: "2", site_id: siteId }]);
    const { limits } = await merchant.client.participants.getLimits({ siteId });
    const ofClasses = limits.filter(({ kind }) => kind === LimitKind.HOLDS_OF_SIZE_CLASS);
    expect(ofClasses.map(({ sizeClassId, limit, used, left }) => [sizeClassId, ...[limit, used, left].map(Number)])).toEqual([
      ["M", 10, 1, 9],
      ["L", 2, 2, 0],
    ]);
    expect((await reserveLarge(other)).sizeClassId).toBe("L");
    expect((await reserve(merchant, at(siteId))).sizeClassId).toBe("M");
  });

  it("may confirm as many as it likes: only unconfirmed holds count", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 2, holdsSitePercent: 1 }, [10]);
    for (let number = 0; number < 8; number++) await confirm(merchant, await reserve(merchant, at(siteId)));
    expect(await numbers(merchant, LimitKind.HOLDS_AT_SITE, siteId)).toEqual([2, 0, 2]);
  });

  it("gets its share back when a hold expires or is cancelled", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 1, sweepIntervalMs: 100 }, [5]);
    const first = await reserve(merchant, at(siteId));
    const error = await refusal(reserve(merchant, at(siteId)));
    expect([error.metadata, error.retryAfterMs]).toEqual([{ scope: "site", limit: "1", used: "1", site_id: siteId }, 15 * minuteMs]);
    clock.advance(error.retryAfterMs ?? 0);
    await expect.poll(() => stateOf(merchant, first)).toBe(ReservationState.EXPIRED);
    const { reservationId } = await reserve(merchant, at(siteId));
    await merchant.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    expect((await reserve(merchant, at(siteId))).state).toBe(ReservationState.HELD);
  });
});

describe("a limit on holds", () => {
  it("in a region holds whatever the site, and for Redirect too", async () => {
    const [here = "", there = ""] = await start({ holdsRegionMax: 2 }, [5, 5]);
    const held = await reserve(merchant, at(here));
    await reserve(merchant, at(there));
    expect((await refusal(reserve(merchant, nearest))).metadata).toEqual({ scope: "region", limit: "2", used: "2" });
    const redirect = () =>
      merchant.client.reservations.redirect({
        requestId: randomUUID(),
        reservationId: held.reservationId,
        place: at(there),
        reason: CancellationReason.OTHER,
      });
    expect((await refusal(redirect())).metadata).toEqual({ scope: "region", limit: "2", used: "2", site_id: there });
    await confirm(merchant, held);
    expect((await redirect()).reservation?.siteId).toBe(there);
  });

  it("in all regions holds too, and a repeated request still gets its reservation", async () => {
    const [siteId = ""] = await start({ holdsAllMax: 2 }, [9]);
    const requestId = randomUUID();
    const first = await reserve(merchant, at(siteId), { requestId });
    await reserve(merchant, nearest);
    const error = await refusal(reserve(merchant, nearest));
    expect([error.reason, error.metadata]).toEqual(["HOLDS_EXHAUSTED", { scope: "all", limit: "2", used: "2" }]);
    expect(await reserve(merchant, at(siteId), { requestId })).toEqual(first);
    await confirm(merchant, first);
    // The gateway reads the sum again after at most 10 s.
    clock.advance(10_000);
    await expect.poll(async () => await reserve(merchant, nearest).catch(() => undefined)).toMatchObject({ siteId });
  });

  it("in all regions refuses nobody who confirms what it holds, however much that is in a few seconds", async () => {
    const [siteId = ""] = await start({ holdsAllMax: 4 }, [20]);
    for (let second = 0; second < 9; second++) {
      await confirm(merchant, await reserve(merchant, at(siteId)));
      // The gateway reads the sum beside its calls: a later reading ends after that one.
      expect(await numbers(merchant, LimitKind.HOLDS_IN_ALL)).toEqual([4, 0, 4]);
      clock.advance(1000);
    }
  });

  it("in all regions is passed by what one gateway may hold for each further gateway at most, and by none once they have read", async () => {
    const allMost = 4;
    const siteIds = await start({ holdsAllMax: allMost }, [40, 40]);
    const elsewhere = makeSite({ latitude: 14.6, longitude: 121, ref: "Manila", classes: [["M", 400, 200, 500, 20_000, 40]] });
    siteIds.push(...(await network.putSites(operator, elsewhere)));
    const twin = await startTestNetwork({
      ...network.shared,
      redis: { address: redis.address },
      now: clock.now,
      holdsAllMax: allMost,
    });
    onTestFinished(() => twin.stop());
    const there: TestParticipant = { ...merchant, client: twin.clientFor(merchant.signer, { retry: false }) };
    const race = async () => {
      const calls = Array.from({ length: 40 }, (_, number) =>
        reserve(number % 2 === 0 ? merchant : there, at(siteIds[number % siteIds.length] ?? "")),
      );
      const outcomes = await Promise.allSettled(calls);
      return outcomes.filter(({ status }) => status === "fulfilled").length;
    };
    // Neither gateway can know of the other's holds before it has read them.
    const held = await race();
    expect(held).toBeGreaterThanOrEqual(allMost);
    expect(held).toBeLessThanOrEqual(2 * allMost);
    clock.advance(10_000);
    await expect.poll(race).toBe(0);
    expect((await numbers(merchant, LimitKind.HOLDS_IN_ALL))[1]).toBeLessThanOrEqual(2 * allMost);
  });

  it("does not hide that every place is taken", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 1 }, [1]);
    await reserve(merchant, at(siteId));
    expect((await refusal(reserve(merchant, at(siteId)))).reason).toBe("NO_PLACE_FREE");
    expect((await refusal(reserve(merchant, nearest))).reason).toBe("NO_PLACE_FREE");
  });

  it("passes over any number of near sites whose share is used", async () => {
    const siteIds = await start(
      { holdsSiteMin: 1, holdsSitePercent: 1 },
      Array.from({ length: 15 }, () => 2),
    );
    const taken: string[] = [];
    for (const _ of siteIds) taken.push((await reserve(merchant, nearest)).siteId);
    expect(taken).toEqual(siteIds);
    expect((await refusal(reserve(merchant, nearest))).reason).toBe("HOLDS_EXHAUSTED");
    expect((await reserve(other, nearest)).siteId).toBe(siteIds[0]);
  });
});

describe("a queued reservation", () => {
  it("is not promoted while its participant's share is used, and others are served before it", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 1, sweepIntervalMs: 100 }, [2]);
    const overflowPolicy = { wait: { seconds: 3600n } };
    const held = await reserve(merchant, at(siteId));
    const others = await reserve(other, at(siteId));
    const [queued, next] = [
      await reserve(merchant, at(siteId), { overflowPolicy }),
      await reserve(await network.join("Third", [Role.MERCHANT]), at(siteId), { overflowPolicy }),
    ];
    expect([queued.state, next.state]).toEqual([ReservationState.QUEUED, ReservationState.QUEUED]);
    await other.client.reservations.cancel({
      requestId: randomUUID(),
      reservationId: others.reservationId,
      reason: CancellationReason.OTHER,
    });
    expect(await stateOf(merchant, queued)).toBe(ReservationState.QUEUED);
    expect((await refusal(reserve(other, at(siteId)))).reason).toBe("NO_PLACE_FREE");
    await confirm(merchant, held);
    expect(await stateOf(merchant, queued)).toBe(ReservationState.QUEUED);
  });

  it("is promoted as soon as a hold of its participant at the site is confirmed", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 1 }, [2]);
    const held = await reserve(merchant, at(siteId));
    const queued = await reserve(merchant, at(siteId), { overflowPolicy: { wait: { seconds: 3600n } } });
    expect(queued.state).toBe(ReservationState.QUEUED);
    await confirm(merchant, held);
    expect(await stateOf(merchant, queued)).toBe(ReservationState.HELD);
  });
});

describe("SetParticipantLimits", () => {
  it("gives one participant other limits than the settings, in force within 10 s, and takes them back", async () => {
    const [siteId = ""] = await start({ holdsSiteMin: 1, holdsSitePercent: 1 }, [9]);
    await reserve(merchant, at(siteId));
    expect((await refusal(reserve(merchant, at(siteId)))).reason).toBe("HOLDS_EXHAUSTED");
    const { participantId } = merchant;
    const set = (holdLimits?: { siteMin: number }) =>
      network.admin.client.participants.setParticipantLimits({
        requestId: randomUUID(),
        participantId,
        ...(holdLimits && { holdLimits }),
      });
    expect((await set({ siteMin: 3 })).participant).toMatchObject({
      participantId,
      displayName: "Merchant",
      holdLimits: { siteMin: 3, regionMax: 0 },
    });
    expect(await numbers(merchant, LimitKind.HOLDS_AT_SITE, siteId)).toEqual([3, 1, 2]);
    clock.advance(10_000);
    await reserve(merchant, at(siteId));
    await reserve(merchant, at(siteId));
    expect((await refusal(reserve(merchant, at(siteId)))).metadata).toMatchObject({ limit: "3", used: "3" });
    await reserve(other, at(siteId));
    expect((await refusal(reserve(other, at(siteId)))).reason).toBe("HOLDS_EXHAUSTED");
    await set();
    clock.advance(10_000);
    expect((await refusal(reserve(merchant, at(siteId)))).metadata).toMatchObject({ limit: "1", used: "3" });
    const { participant } = await merchant.client.participants.getParticipant({});
    expect(participant?.holdLimits).toBeUndefined();
  });
});
