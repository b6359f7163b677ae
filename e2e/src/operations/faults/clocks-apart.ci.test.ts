import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ReservationState } from "@petak/protocol";
import { roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";
import { until } from "./until.ts";

const rounds = roundsHere({ short: 1, ci: 2, long: 30 });
const apartMs = 90_000;
const holdS = BigInt(roundsHere({ short: 2, ci: 6 }));
/** A duration for which no test waits. */
const farMs = 30_000;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

let run: FaultRun;
let server: TestServer;
let city: City;

afterEach(async () => {
  await city.stop();
  await server.stop();
});

// The callers sign by a third clock, the machine's: a gateway accepts tokens that are at most 30 s ahead of its own clock.
describe.each([
  { name: "one right", aheadMs: [0, apartMs] },
  { name: "neither right", aheadMs: [-25_000, apartMs - 25_000] },
])("two gateways whose clocks are 90 s apart, $name", ({ name, aheadMs }) => {
  beforeEach(async () => {
    run = beginFaultRun(`clocks 90 s apart, ${name}`);
    server = await startTestServer({ appendfsync: "always" });
    city = await buildCity({
      redis: { socketPath: server.options.path },
      gateways: aheadMs.map((clockAheadMs) => ({ clockAheadMs, sweepIntervalMs: 100 })),
      random: run.random,
    });
  });

  it("lose nothing and duplicate nothing, even if one of them is killed", { timeout: faultTimeoutMs }, async () => {
    for (let round = 0; round < rounds; round++) {
      await city.during(async () => {
        await city.callers.more(run.random.int(50, 150));
        if (run.random.bool(0.5)) {
          await city.killGateway();
          run.did("gateway killed");
        }
      });
      run.saw(await city.check());
      run.progress(round + 1, rounds);
    }
    run.did("rounds", rounds);
    run.did("steps answered", city.callers.counts.answers);
    run.report();
  });

  it("end a hold when both the gateway's clock and Redis's have passed its end, and not before the time that was promised", async () => {
    for (const [index, { port }] of city.gateways.entries()) {
      const client = city.callers.clientOf(port, city.courier);
      const place = { case: "siteId" as const, value: city.sites[index]?.siteId ?? "" };
      const holdDuration = { seconds: holdS, nanos: 0 };
      const { reservation } = await client.reservations.reserve({ requestId: randomUUID(), place, parcel, holdDuration });
      const { reservationId = "", holdExpiresAt } = reservation ?? {};
      const endsMs = holdExpiresAt === undefined ? 0 : timestampMs(holdExpiresAt);
      const state = async () => (await client.reservations.getReservation({ reservationId })).reservation?.state;
      if (endsMs > Date.now() + farMs) {
        // The fast gateway has promised a time far ahead, and the slow one does not end the hold before it.
        await pause(1000);
        expect(await state()).toBe(ReservationState.HELD);
        continue;
      }
      await until("the hold ends", async () => (await state()) === ReservationState.EXPIRED);
      // Redis and this test use the machine's clock.
      expect(Date.now()).toBeGreaterThanOrEqual(endsMs);
    }
  });
});
