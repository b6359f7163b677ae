import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { ReservationState, reasonOf } from "@petak/protocol";
import {
  createTempDir,
  fillDisk,
  freeDisk,
  onThisMachine,
  roundsHere,
  searchPathForFullDisk,
  startTestServer,
  type TempDir,
  type TestServer,
} from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";
import { until } from "./until.ts";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const fills = roundsHere({ short: 1, ci: 2, long: 25 });

let run: FaultRun;
let directory: TempDir;
let server: TestServer;
let city: City;

async function build(appendfsync: "everysec" | "always"): Promise<void> {
  run = beginFaultRun(`disk full, ${appendfsync}`);
  server = await startTestServer({ appendfsync, searchPath: await searchPathForFullDisk(directory.path) });
  city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}, {}], random: run.random });
}

/** Limits the append-only file to a few bytes more, so that a command is written in part. */
async function fill(): Promise<void> {
  await fillDisk(server, run.random.int(0, 2000));
}

function report(): void {
  run.did("steps answered", city.callers.counts.answers);
  run.did("attempts without an answer", city.callers.counts.unanswered);
  run.report();
  expect(city.callers.counts.unanswered).toBeGreaterThan(0);
}

beforeEach(async () => {
  directory = await createTempDir();
});
afterEach(async () => {
  await city.stop();
  await server.stop();
  await directory.remove();
});

describe("a disk without room for the append-only file", () => {
  it("with everysec: changes are refused until there is room, reads continue, and nothing is lost", {
    timeout: faultTimeoutMs,
  }, async () => {
    await build("everysec");
    for (let index = 0; index < fills; index++) {
      await city.during(async () => {
        await city.callers.more(run.random.int(5, 60));
        await fill();
        run.did("disk filled");
        const before = city.callers.counts.unanswered;
        await until("changes are refused", () => city.callers.counts.unanswered > before + 10);
        const held = city.lives.find(({ answered }) => answered.length > 0)?.reservationId ?? "";
        for (const { port } of city.gateways) {
          const client = city.callers.clientOf(port, city.courier);
          const { reservation } = await client.reservations.getReservation({ reservationId: held });
          expect(reservation?.state).not.toBe(ReservationState.UNSPECIFIED);
          // All gateways share this Redis, so a load balancer must not remove any of them.
          expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
          const beganMs = performance.now();
          const refused = await client.reservations
            .reserve({
              requestId: randomUUID(),
              place: { case: "siteId", value: city.sites[0]?.siteId ?? "" },
              parcel,
            })
            .catch((error: unknown) => ConnectError.from(error));
          expect(reasonOf(refused)).toBe("STORE_UNAVAILABLE");
          expect(performance.now() - beganMs).toBeLessThan(onThisMachine(1000));
          run.did("reads answered while full");
        }
        await pause(run.random.int(0, 1500));
        await freeDisk(server);
      });
      run.saw(await city.check());
      run.progress(index + 1, fills);
    }
    report();
  });

  it("with always: Redis exits instead of acknowledging what it could not write, and no acknowledged step is lost", {
    timeout: faultTimeoutMs,
  }, async () => {
    await build("always");
    for (let index = 0; index < fills; index++) {
      await city.during(async () => {
        await city.callers.more(run.random.int(5, 60));
        const { pid } = server;
        await fill();
        run.did("disk filled");
        await until("Redis ends", () => !isRunning(pid));
        await server.restart();
      });
      run.saw(await city.check());
      run.progress(index + 1, fills);
    }
    report();
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
