import { PetakError } from "@petak/protocol";
import { connectRedis, type RedisConnection } from "@petak/redis";
import { startTestServer, type TestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLogger, createMetrics, type Metrics } from "../observability/index.ts";
import { createStoreFill, type StoreFill, type StoreFillLimits } from "./store-fill.ts";

const reserve = "petak.v1.ReservationService/Reserve";
const revokeKey = "petak.v1.ParticipantService/RevokeKey";

let server: TestServer;
let tool: Redis;
let redis: RedisConnection;
let lines: { level: number; msg: string }[];
let metrics: Metrics;
let fill: StoreFill;

beforeAll(async () => {
  server = await startTestServer();
  tool = new Redis(server.options);
  redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
  // So much that what the test itself takes does not count. Made by the server: a value that is sent stays in its input buffer too, for seconds.
  await tool.setrange("junk", 39_999_999, "x");
});
afterAll(async () => {
  redis.disconnect();
  tool.disconnect();
  await server.stop();
});
beforeEach(() => {
  lines = [];
  metrics = createMetrics({ processMetrics: false });
});
afterEach(async () => {
  fill.stop();
  await tool.config("SET", "maxmemory", 0);
});

/** What counts towards the limit: not the buffer of the append-only file, which grows and empties as the disk likes. */
async function usedBytes(): Promise<number> {
  const info = await tool.info("memory");
  const bytes = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1]);
  return bytes("used_memory") - bytes("mem_not_counted_for_evict");
}

function begin(limits: StoreFillLimits): void {
  const logger = createLogger({ destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
  const logFailure = (part: string, error: unknown) => {
    throw new Error(part, { cause: error });
  };
  fill = createStoreFill({ redis, address: "redis", logger, metrics, limits, logFailure });
}

/** Sets the server's limit so that this much of it is used, and asks it. */
async function fillTo(percent: number): Promise<void> {
  await tool.config("SET", "maxmemory", Math.round(((await usedBytes()) / percent) * 100));
  await fill.check();
}

function refusalOf(call: () => void): PetakError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof PetakError) return error;
    throw error;
  }
}

describe("the fill of the store", () => {
  it("is warned of, then refuses growth and nothing else, and accepts it again some percent below", async () => {
    begin({});
    await fillTo(60);
    expect(lines).toEqual([]);
    await fillTo(75);
    expect(lines.map(({ level }) => level)).toEqual([40]);
    expect(lines[0]?.msg).toMatch(
      /^the store is 7[45] % full; from 85 % on, what makes it grow is refused, and what test keys add already now: raise maxmemory /,
    );
    expect([fill.isFull, refusalOf(() => fill.refuseCall(reserve, "live"))]).toEqual([false, undefined]);
    await fillTo(86);
    expect(refusalOf(() => fill.refuseCall(reserve, "live"))).toMatchObject({
      reason: "STORE_FULL",
      metadata: { fill_percent: expect.stringMatching(/^8[56]$/), limit_percent: "85" },
      // More than clients wait for by themselves.
      retryAfterMs: 30_000,
    });
    expect(refusalOf(() => fill.refuseNew("live"))?.reason).toBe("STORE_FULL");
    expect(refusalOf(() => fill.refuseCall(revokeKey, "live"))).toBeUndefined();
    expect((await metrics.storeRefusesGrowth.get()).values[0]?.value).toBe(1);
    // Near the limit it does not switch with each call.
    await fillTo(84.5);
    expect(fill.isFull).toBe(true);
    await fillTo(80);
    expect(fill.isFull).toBe(false);
    expect(refusalOf(() => fill.refuseNew("live"))).toBeUndefined();
    await fillTo(50);
    expect(lines.map(({ level }) => level)).toEqual([40, 50, 30, 30]);
    expect((await metrics.storeFill.get()).values[0]?.value).toBeCloseTo(0.5, 1);
  });

  it("is left to the live network from the warning on: test keys can add nothing any more", async () => {
    begin({});
    await fillTo(60);
    expect(refusalOf(() => fill.refuseCall(reserve, "test"))).toBeUndefined();
    await fillTo(75);
    const refusals = [refusalOf(() => fill.refuseCall(reserve, "test")), refusalOf(() => fill.refuseNew("test"))];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ reason: "STORE_FULL", metadata: { limit_percent: "70" }, retryAfterMs: 30_000 });
      expect(refusal?.message).toMatch(/from 70 % on nothing new is stored with test keys/);
    }
    expect([fill.isFull, refusalOf(() => fill.refuseNew("live"))]).toEqual([false, undefined]);
    expect(refusalOf(() => fill.refuseCall(revokeKey, "test"))).toBeUndefined();
    await fillTo(86);
    expect(refusalOf(() => fill.refuseNew("test"))).toMatchObject({ metadata: { limit_percent: "85" } });
  });

  it("is measured by the limit of the gateway where that is less than the server's", async () => {
    begin({ maxBytes: Math.round((await usedBytes()) / 0.9) });
    await fillTo(10);
    expect(fill.isFull).toBe(true);
  });

  it("is unknown without any limit, which is said once, and refuses nothing", async () => {
    begin({});
    await fill.check();
    await fill.check();
    expect(lines).toEqual([
      expect.objectContaining({ level: 40, msg: expect.stringMatching(/^Redis has no maxmemory, .*storeMaxBytes$/) }),
    ]);
    expect([fill.isFull, (await metrics.storeFill.get()).values]).toEqual([false, []]);
    // The operator sets one.
    await fillTo(90);
    expect(fill.isFull).toBe(true);
  });
});
