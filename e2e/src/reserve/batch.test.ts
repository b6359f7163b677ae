import { randomUUID } from "node:crypto";
import { create, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  Act,
  type BatchCall,
  BatchCallSchema,
  type BatchResult,
  BatchResultSchema,
  CancellationReason,
  fromConnectError,
  Role,
  reasonOf,
} from "@petak/protocol";
import { createFrozenClock, createRandom, makeSite, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 300]];
const places = [
  { latitude: 1.3, longitude: 103.8 },
  { latitude: 2.9, longitude: 101.7 },
];
const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteIds: string[];

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now, holdsSitePercent: 100, holdsRegionMax: 10_000 });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER], undefined, { retry: false });
  const full = makeSite({ ...places[0], latitude: 1.35, longitude: 103.8, ref: "full", classes: [["S", 10, 10, 10, 1, 1]] });
  const sites = [...places.map((place, index) => makeSite({ ...place, ref: `site-${index}`, classes })), full];
  siteIds = await network.putSites(operator, ...sites);
  return () => network.stop();
});

type Call = MessageInitShape<typeof BatchCallSchema>["call"];

const batch = (by: TestParticipant, calls: readonly Call[]) =>
  by.client.reservations.batch({ calls: calls.map((call) => create(BatchCallSchema, { call } as BatchCall)) });

/** The result of a single call in the form of a batch's result. */
async function alone(by: TestParticipant, call: Call): Promise<BatchResult> {
  const { case: name, value } = call as BatchCall["call"] & { case: string };
  const methods = by.client.reservations as unknown as Record<string, (request: unknown) => Promise<unknown>>;
  try {
    return create(BatchResultSchema, { result: { case: name, value: await methods[name]?.(value) } as BatchResult["result"] });
  } catch (thrown) {
    const error = fromConnectError(ConnectError.from(thrown));
    if (error === undefined) throw thrown;
    const { reason, message, metadata, fieldViolations } = error;
    const value = {
      reason,
      code: ConnectError.from(thrown).code,
      message,
      metadata: Object.entries(metadata)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, said]) => ({ key, value: said })),
      fieldViolations,
      ...(error.retryAfterMs !== undefined && {
        retryDelay: { seconds: BigInt(Math.floor(error.retryAfterMs / 1000)), nanos: (error.retryAfterMs % 1000) * 1e6 },
      }),
    };
    return create(BatchResultSchema, { result: { case: "error", value } });
  }
}

const reserve = (siteId: string): Call => ({
  case: "reserve",
  value: { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel },
});

/** The given number of held reservations. */
async function held(count: number): Promise<string[]> {
  const { results } = await batch(
    courier,
    Array.from({ length: count }, (_, index) => reserve(siteIds[index % 2] ?? "")),
  );
  return results.map(({ result }) => (result.case === "reserve" ? (result.value.reservation?.reservationId ?? "") : ""));
}

const change = (ids: readonly string[], about: number) => ({ requestId: randomUUID(), reservationId: ids[about] ?? "" });

/** Results in which each reservation id is replaced by the order of its appearance, and unique values by a constant. */
function named(results: readonly BatchResult[]): JsonValue {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    const name = names.get(id) ?? `reservation ${names.size}`;
    names.set(id, name);
    return name;
  };
  const text = JSON.stringify(results.map((result) => toJson(BatchResultSchema, result)))
    .replace(/res_[0-9a-f]{6}_[0-9a-z]{16}/g, nameOf)
    .replace(/"(accessToken|pin|credentialHash|lastHash)":"[^"]+"/g, '"$1":"its own"');
  return JSON.parse(text) as JsonValue;
}

describe("Batch", () => {
  it("has the same effects and results as its calls made one by one, in their order", async () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 12; round++) {
      const nothing = "res_83652b_0000000000000000";
      const [forCalls, forBatch] = [
        [...(await held(8)), nothing],
        [...(await held(8)), nothing],
      ];
      const by = random.bool(0.2) ? operator : courier;
      // The same calls for two sets of reservations: one by one for the first set, in a batch for the second.
      const makers = Array.from({ length: random.int(1, 40) }, () => {
        const about = random.int(0, 8);
        const [siteId, act] = [
          random.pick([...siteIds, "site_83652b_k3v9c0x2md000zzz"]),
          random.pick([Act.COLLECT, Act.DEPOSIT, Act.RECALL]),
        ];
        const until = timestampFromMs(clock.now() + random.int(1, 200) * 3_600_000);
        return random.pick<(ids: string[]) => Call>([
          () => reserve(siteId),
          (ids) => ({ case: "confirm", value: change(ids, about) }),
          (ids) => ({ case: "extend", value: { ...change(ids, about), until } }),
          (ids) => ({ case: "cancel", value: { ...change(ids, about), reason: CancellationReason.OTHER } }),
          (ids) => ({ case: "redirect", value: { ...change(ids, about), place: { case: "siteId", value: siteId }, reason: 3 } }),
          (ids) => ({ case: "issueCredential", value: { ...change(ids, about), act, withPin: act === Act.COLLECT } }),
          (ids) => ({ case: "getReservation", value: { reservationId: ids[about] ?? "" } }),
        ]);
      });
      const calls = makers.map((make) => make(forCalls));
      const batched = makers.map((make) => make(forBatch));
      const one: BatchResult[] = [];
      for (const call of calls) one.push(await alone(by, call));
      const { results } = await batch(by, batched);
      expect(named(results)).toEqual(named(one));
      // A repeated batch gets the same results, and nothing is done twice. Failed calls are left out, because they might succeed now.
      const changes = results.flatMap(({ result }, index) => (result.case === "error" || result.case === "getReservation" ? [] : [index]));
      const again = await batch(by, changes.length === 0 ? batched.slice(0, 1) : changes.map((index) => batched[index]));
      if (changes.length > 0) expect(again.results).toEqual(changes.map((index) => results[index]));
    }
  });

  it("refuses each failing call as a single call would be refused", async () => {
    const [reservationId = ""] = await held(1);
    const calls: Call[] = [
      reserve(siteIds[2] ?? ""),
      reserve("site_83652b_k3v9c0x2md000zzz"),
      { case: "confirm", value: { ...change([reservationId], 0), reservationId: "res_83652b_0000000000000000" } },
      { case: "extend", value: { ...change([reservationId], 0), until: timestampFromMs(1_000_000_000_000) } },
      { case: "issueCredential", value: { ...change([reservationId], 0), act: Act.COLLECT } },
      { case: "issueCredential", value: { ...change([reservationId], 0), act: Act.RECALL } },
      { case: "redirect", value: { ...change([reservationId], 0), place: { case: "siteId", value: siteIds[2] ?? "" }, reason: 3 } },
      { case: "getReservation", value: { reservationId: "res_nothing" } },
    ];
    const { results } = await batch(courier, calls);
    expect(results.map(({ result }) => result.case)).toEqual(calls.map(() => "error"));
    for (const [index, call] of calls.entries()) expect(results[index]).toEqual(await alone(courier, call));
    const stranger = await batch(operator, [reserve(siteIds[0] ?? ""), { case: "getReservation", value: { reservationId } }]);
    expect(stranger.results.map(({ result }) => (result.case === "error" ? result.value.reason : result.case))).toEqual([
      "ROLE_REQUIRED",
      "getReservation",
    ]);
  });

  it("makes calls about one reservation in their order", async () => {
    const ids = await held(20);
    const { results } = await batch(
      courier,
      ["confirm", "getReservation", "cancel", "getReservation"].flatMap((name) =>
        ids.map(
          (reservationId): Call =>
            name === "getReservation"
              ? { case: name, value: { reservationId } }
              : ({ case: name, value: { ...change([reservationId], 0), ...(name === "cancel" && { reason: 1 }) } } as Call),
        ),
      ),
    );
    const states = results.map(({ result }) =>
      result.value !== undefined && "reservation" in result.value ? result.value.reservation?.state : 0,
    );
    expect(states).toEqual([...Array(40).fill(6), ...Array(40).fill(7)]);
  });

  it("refuses an invalid message as a whole, and more concurrent batches than permitted", async () => {
    const wrong = [reserve(siteIds[0] ?? ""), { case: "confirm", value: { requestId: "x", reservationId: "" } } as Call];
    const error = fromConnectError(ConnectError.from(await batch(courier, wrong).catch((thrown: unknown) => thrown)));
    expect(error).toMatchObject({ reason: "INVALID_FIELD" });
    expect(error?.fieldViolations.map(({ field }) => field)).toEqual(["calls[1].confirm.request_id", "calls[1].confirm.reservation_id"]);
    const tooMany = Array.from({ length: 101 }, () => reserve(siteIds[0] ?? ""));
    expect(reasonOf(await batch(courier, tooMany).catch((thrown: unknown) => thrown))).toBe("INVALID_FIELD");

    const rush = await Promise.allSettled(Array.from({ length: 12 }, () => batch(courier, tooMany.slice(0, 100))));
    const refused = rush.flatMap((end) => (end.status === "rejected" ? [fromConnectError(ConnectError.from(end.reason))] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const refusal of refused) expect(refusal).toMatchObject({ reason: "RATE_LIMITED", retryAfterMs: 1000 });
    expect(durationMs({ seconds: 1n, nanos: 0, $typeName: "google.protobuf.Duration" })).toBe(refused[0]?.retryAfterMs);
    // A refused batch was not started: repeated, it is executed, and batches that were executed are not executed twice.
    expect((await batch(courier, tooMany.slice(0, 100))).results.filter(({ result }) => result.case === "reserve")).toHaveLength(100);
  });
});
