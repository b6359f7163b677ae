import { rename } from "node:fs/promises";
import { join } from "node:path";
import { gatewayTerms } from "@petak/lifecycle";
import { parseReservationId, type Reservation, ReservationState } from "@petak/protocol";
import { createArchiveReader, createRelease, diskFiles } from "@petak/records";
import { type ArchiveWorld, dayMs, openArchiveWorld, region } from "@petak/records/testing";
import type { RedisConnection } from "@petak/redis";
import { tempDir, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSweep } from "./sweep.ts";

const redis = useRedis();
const termsBook = { of: () => gatewayTerms({ collectWithinMs: 3_600_000, storageMaxMs: 3_600_000 }) };
const { CANCELLED, CONFIRMED } = ReservationState;
const hourMs = 3_600_000;
let connection: RedisConnection;
let world: ArchiveWorld;
let directory: string;

beforeEach(async () => {
  connection = await redis.connect();
  directory = join(await tempDir(), "archive");
  world = await openArchiveWorld(redis, connection, directory);
});
afterEach(() => connection.disconnect());

async function sweep(): Promise<void> {
  const { records, layout, clock } = world;
  const release = createRelease(records, createArchiveReader(diskFiles, layout));
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const sweeping = startSweep({ records: records, termsBook, release, now: clock.now, intervalMs: 600_000, onError });
  await sweeping.once();
  await sweeping.stop();
  expect(errors).toEqual([]);
}

const isInRecords = async ({ reservationId }: Reservation) => (await world.records.reservations.find(reservationId)) !== undefined;
const allowedHandles = () => redis.client.smembers(world.keys.siteAllowed(region, 1));
const dueMs = async ({ reservationId }: Reservation) =>
  Number(await redis.client.zscore(world.keys.deadlines(region), parseReservationId(reservationId)?.handle ?? ""));

/** Makes a cancelled reservation whose DEPOSIT token is still valid, and whose day is in the archive. */
async function cancelledWithToken(): Promise<Reservation> {
  const tokenEndsMs = world.clock.now() + 7 * dayMs;
  const cancelled = await world.live([CONFIRMED, CANCELLED], { deadlineMs: tokenEndsMs, isAllowed: true });
  await world.pass(5 * dayMs);
  await world.archiver().once();
  return cancelled;
}

describe("an ended reservation with a deadline after its day was archived", () => {
  it("stays for its site's agent until its token has expired, and is deleted then", async () => {
    const cancelled = await cancelledWithToken();
    const before = await world.readContent();
    expect([await isInRecords(cancelled), await allowedHandles()]).toEqual([true, [parseReservationId(cancelled.reservationId)?.handle]]);
    await sweep();
    expect(await isInRecords(cancelled)).toBe(true);
    await world.pass(3 * dayMs);
    await sweep();
    expect([await isInRecords(cancelled), await allowedHandles()]).toEqual([false, []]);
    expect(await redis.client.zcard(world.keys.deadlines(region))).toBe(0);
    expect(await world.readContent()).toEqual(before);
  });

  it("stays while the archive cannot be read, and is checked again in an hour", async () => {
    const cancelled = await cancelledWithToken();
    await world.pass(3 * dayMs);
    await rename(directory, `${directory}-elsewhere`);
    await sweep();
    expect([await isInRecords(cancelled), await dueMs(cancelled)]).toEqual([true, world.clock.now() + hourMs]);
    await rename(`${directory}-elsewhere`, directory);
    await world.pass(hourMs);
    await sweep();
    expect(await isInRecords(cancelled)).toBe(false);
  });

  it("is deleted again after a restore without further changes", async () => {
    const cancelled = await world.live([CANCELLED]);
    await world.pass(5 * dayMs);
    await world.archiver().once();
    const [archived] = await createArchiveReader(diskFiles, world.layout).find(
      region,
      parseReservationId(cancelled.reservationId)?.handle ?? "",
      await world.records.archive.archivedUntil(region),
    );
    if (archived === undefined) throw new Error("nothing was archived");
    await world.records.archive.restore(archived, world.clock.now());
    expect(await isInRecords(cancelled)).toBe(true);
    await sweep();
    expect(await isInRecords(cancelled)).toBe(false);
  });
});
