import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { PinEntry } from "@petak/lifecycle";
import {
  type Bundle,
  BundleSchema,
  EventSchema,
  EventType,
  formatBundleId,
  HoldKind,
  newEventId,
  parseSiteId,
  type Region,
  type Reservation,
} from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { Crash, dyingAt, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { decodePinEntry } from "../encoding/pin-entry.ts";
import { createRecords, type Records } from "../records.ts";
import { holdAt, siteWithNames } from "../reservations/testing/named-site.ts";
import type { BundleChange } from "./bundle-store.ts";

const redis = useRedis();
const keys = () => createKeys(`${redis.keyPrefix}petak`);
const origin = { latitude: 1.3, longitude: 103.8 };
const participantId = "par_a";
const nowMs = 1_790_000_000_000;
const fingerprint = Buffer.alloc(16, 1);
let connection: RedisConnection;
let records: Records;
let siteId: string;
let region: Region;
let members: Reservation[];
let bundle: Bundle;

beforeEach(async () => {
  connection = await redis.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  siteId = (await records.sites.put(siteWithNames({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }), 0)).siteId;
  region = parseSiteId(siteId)?.region ?? "";
  members = [];
  for (const number of [1, 2]) {
    const outcome = await holdAt(records, siteId, origin, number, HoldKind.SOFT);
    if (outcome.tag === "none") throw new Error("nothing was held");
    members.push(outcome.reservation);
  }
  const bundleId = formatBundleId(region, "5t8yq2m4p9w7z3x1");
  bundle = create(BundleSchema, { bundleId, siteId, participantId, revision: 1, reservationIds: members.map((one) => one.reservationId) });
  return () => connection.disconnect();
});

const event = (reservationId: string) =>
  create(EventSchema, { eventId: newEventId(region), type: EventType.RESERVATION_BUNDLED, reservationId, siteId });

/** The change that creates the bundle of both reservations. */
function making(requestId: string, more: Partial<BundleChange> = {}): BundleChange {
  return {
    bundleId: bundle.bundleId,
    siteId,
    before: undefined,
    after: bundle,
    nowMs,
    reservations: members.map((before) => ({
      before,
      after: { ...before, bundleId: bundle.bundleId, revision: before.revision + 1 },
      event: event(before.reservationId),
    })),
    response: { participantId, requestId, fingerprint, bytes: Buffer.from("made") },
    ...more,
  };
}

const nowS = nowMs / 1000;
const pin = (digit: number, expiresAtS: number): PinEntry => ({ hash: new Uint8Array(32).fill(digit), notBeforeS: nowS, expiresAtS });
const endS = nowS + 3600;
const dayS = 86_400;

/** A change that gives a bundle a PIN and changes nothing else. */
const pinning = (of: Bundle, entry: PinEntry | null, atMs = nowMs): BundleChange => ({
  ...{ bundleId: of.bundleId, siteId, before: of, pin: entry, nowMs: atMs, reservations: [] },
  response: { participantId, requestId: randomUUID(), fingerprint, bytes: Buffer.alloc(0) },
});

async function bundled(): Promise<(Reservation | undefined)[]> {
  return await Promise.all(members.map(({ reservationId }) => records.reservations.find(reservationId)));
}

describe("a bundle", () => {
  it("is created once, atomically with its reservations and their events", async () => {
    const requestId = randomUUID();
    expect(await records.bundles.find(bundle.bundleId)).toBeUndefined();
    expect(await records.bundles.change(making(requestId))).toEqual({ tag: "done" });
    expect(await records.bundles.find(bundle.bundleId)).toEqual(bundle);
    expect((await bundled()).map((one) => [one?.bundleId, one?.revision])).toEqual([
      [bundle.bundleId, 2],
      [bundle.bundleId, 2],
    ]);
    expect(await records.bundles.change(making(requestId))).toEqual({ tag: "repeated", response: Buffer.from("made") });
    const again = making(requestId);
    await expect(
      records.bundles.change({ ...again, response: { ...again.response, fingerprint: Buffer.alloc(16, 2) } }),
    ).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    expect((await records.events.readAfter(region, "0-0", 100)).length).toBe(4);
    // It is stored for longer than any parcel, but not for ever.
    const keptMs = await redis.client.pttl(keys().bundle(region, "5t8yq2m4p9w7z3x1"));
    expect(keptMs).toBeGreaterThan(170 * 86_400_000);
  });

  it("is not written if it or one of its reservations has changed since it was read", async () => {
    const [first, second] = making(randomUUID()).reservations;
    if (first === undefined || second === undefined) throw new Error("two reservations");
    const stale = [first, { ...second, before: { ...second.before, revision: 7 } }];
    expect(await records.bundles.change(making(randomUUID(), { reservations: stale }))).toEqual({ tag: "stale" });
    expect((await bundled()).map((one) => one?.bundleId)).toEqual(["", ""]);
    expect(await records.bundles.change(making(randomUUID(), { before: { ...bundle, revision: 3 } }))).toEqual({ tag: "stale" });
    expect(await records.bundles.find(bundle.bundleId)).toBeUndefined();
  });

  it("is complete or missing wherever the gateway crashes, and a repeated request creates it once", async () => {
    for (const isDone of [false, true]) {
      const requestId = randomUUID();
      const { connection: dying } = dyingAt(connection, { atCommand: 1, isDone });
      const mortal = createRecords({ redis: dying, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
      const change = isDone
        ? { ...pinning(bundle, pin(1, endS)), response: { participantId, requestId, fingerprint, bytes: Buffer.alloc(0) } }
        : making(requestId);
      await expect(mortal.bundles.change(change)).rejects.toThrow(Crash);
      expect((await records.bundles.change(change)).tag).toBe(isDone ? "repeated" : "done");
    }
    expect((await bundled()).map((one) => one?.revision)).toEqual([2, 2]);
  });

  it("has a PIN that is unique at the site until it is removed or its end cannot be moved any more", async () => {
    await records.bundles.change(making(randomUUID()));
    const other = { ...bundle, bundleId: formatBundleId(region, "0000000000000000") };
    const pins = () => records.bundles.pins(siteId, [bundle.bundleId, other.bundleId]);
    expect(await records.bundles.change(pinning(bundle, pin(1, endS)))).toEqual({ tag: "done" });
    expect(await records.bundles.change(pinning({ ...other, revision: 0 }, pin(1, endS)))).toEqual({ tag: "pin_taken" });
    const [before] = await bundled();
    const place = { heldChange: 0, occupiedChange: 0 };
    if (before === undefined) throw new Error("a reservation");
    expect(await records.reservations.apply({ before, ...place, pin: pin(1, endS), events: [] })).toEqual({ tag: "pin_taken" });
    expect(await records.reservations.apply({ before, ...place, pin: pin(2, endS), events: [] })).toEqual({ tag: "done" });
    expect(await records.bundles.change(pinning(bundle, pin(2, endS)))).toEqual({ tag: "pin_taken" });
    expect((await pins()).map((one) => one?.hash[0])).toEqual([1, undefined]);
    // It is stored as long as its end may be moved, even after that end.
    const lastMs = nowMs + 14 * dayS * 1000 + 600_000;
    expect(await records.bundles.change(pinning({ ...other, revision: 0 }, pin(4, endS), lastMs))).toEqual({ tag: "done" });
    expect((await pins()).map((one) => one?.hash[0])).toEqual([1, 4]);
    // A later PIN of any bundle deletes the expired ones; the PIN of a reservation stays until the reservation ends.
    const lateMs = lastMs + 1000;
    expect(await records.bundles.change(pinning({ ...other, revision: 0 }, pin(3, endS), lateMs))).toEqual({ tag: "done" });
    expect((await pins()).map((one) => one?.hash[0])).toEqual([undefined, 3]);
    expect(await records.bundles.change(pinning({ ...other, revision: 0 }, null))).toEqual({ tag: "done" });
    expect(await pins()).toEqual([undefined, undefined]);
    expect(await records.bundles.change(pinning(bundle, pin(2, endS), lateMs))).toEqual({ tag: "pin_taken" });
  });

  it("has a PIN whose end a parcel moves neither back nor beyond fourteen days from its begin, and gets none by that if it has none", async () => {
    await records.bundles.change(making(randomUUID()));
    await records.bundles.change(pinning(bundle, pin(1, endS)));
    const place = { heldChange: 0, occupiedChange: 0, events: [] };
    const pinsKey = keys().sitePins(region, parseSiteId(siteId)?.siteNumber ?? 0);
    /** Moves the ends of PINs in one batch. Returns the end of each existing PIN. */
    async function movingEnds(moves: readonly { of: number; expiresAtS: number }[]): Promise<Record<string, number>> {
      const found = await bundled();
      const outcomes = moves.map(async ({ of, expiresAtS }) => {
        const before = found[of] as Reservation;
        const after = { ...before, revision: before.revision + 1 };
        return (await records.reservations.apply({ before, after, ...place, pin: { expiresAtS } })).tag;
      });
      expect(await Promise.all(outcomes)).toEqual(moves.map(() => "done"));
      const kept = Object.entries(await connection.hgetallBuffer(pinsKey));
      for (const [, entry] of kept) expect(decodePinEntry(entry)).toMatchObject({ hash: Buffer.alloc(32, entry[0]), notBeforeS: nowS });
      return Object.fromEntries(
        kept.map(([field, entry]) => [field.slice(0, 1) === "b" ? "bundle" : "parcel", decodePinEntry(entry).expiresAtS]),
      );
    }

    const version = (await records.allowedChanges.version(siteId)).number;
    expect(await movingEnds([{ of: 0, expiresAtS: endS - 1 }])).toEqual({ bundle: endS });
    const both = [endS + 20, endS + 10].map((expiresAtS, of) => ({ of, expiresAtS }));
    expect(await movingEnds(both)).toEqual({ bundle: endS + 20 });
    expect(await movingEnds(both.toReversed())).toEqual({ bundle: endS + 20 });
    expect((await records.allowedChanges.version(siteId)).number).toBe(version + 5);
    const [first] = await bundled();
    await records.reservations.apply({ before: first as Reservation, ...place, pin: pin(2, endS) });
    expect(await movingEnds([{ of: 0, expiresAtS: endS + 10 }])).toEqual({ bundle: endS + 20, parcel: endS + 10 });
    expect(await movingEnds([{ of: 0, expiresAtS: nowS + 15 * dayS }])).toEqual({ bundle: nowS + 14 * dayS, parcel: nowS + 15 * dayS });
    await records.bundles.change(pinning(bundle, null));
    expect(await movingEnds([{ of: 0, expiresAtS: endS + 30 }])).toEqual({ parcel: endS + 30 });
    // A reservation in no bundle moves the end of its own PIN only.
    await records.bundles.change(pinning(bundle, pin(1, endS)));
    const [before] = await bundled();
    const left = { ...(before as Reservation), bundleId: "", revision: (before?.revision ?? 0) + 1 };
    await records.reservations.apply({ before: before as Reservation, after: left, ...place });
    expect(await movingEnds([{ of: 0, expiresAtS: endS + 40 }])).toEqual({ bundle: endS, parcel: endS + 40 });
  });

  it("increments the version of its site agent's data", async () => {
    const version = (await records.allowedChanges.version(siteId)).number;
    await records.bundles.change(making(randomUUID()));
    expect((await records.allowedChanges.version(siteId)).number).toBe(version + 1);
  });

  it("is deleted together with its PIN when none of its reservations is stored any more, and not before", async () => {
    await records.bundles.change(making(randomUUID()));
    await records.bundles.change(pinning(bundle, pin(1, endS)));
    const keptMs = () => redis.client.pttl(keys().bundle(region, "5t8yq2m4p9w7z3x1"));
    const isPinned = async () => (await records.bundles.pins(siteId, [bundle.bundleId]))[0] !== undefined;
    const recordOf = ({ reservationId }: Reservation) => keys().reservation(region, reservationId.slice(-16));
    const version = (await records.allowedChanges.version(siteId)).number;
    for (const member of members) {
      expect(await records.bundles.deleteIfEmpty(bundle.bundleId)).toBe(false);
      expect([await keptMs(), await isPinned()]).toEqual([expect.closeTo(180 * 86_400_000, -6), true]);
      await redis.client.del(recordOf(member));
    }
    expect((await records.allowedChanges.version(siteId)).number).toBe(version);
    expect(await records.bundles.deleteIfEmpty(bundle.bundleId)).toBe(true);
    expect((await records.allowedChanges.version(siteId)).number).toBe(version + 1);
    // As long as responses: a repetition of its last change still finds it.
    expect([await keptMs(), await isPinned()]).toEqual([expect.closeTo(25 * 3_600_000, -6), false]);
    expect(await records.bundles.find(bundle.bundleId)).toEqual(bundle);
    // Deleting it again does not extend that.
    await redis.client.pexpire(keys().bundle(region, "5t8yq2m4p9w7z3x1"), 600_000);
    expect(await records.bundles.deleteIfEmpty(bundle.bundleId)).toBe(true);
    expect(await keptMs()).toBeLessThanOrEqual(600_000);
    // A change does.
    await records.bundles.change(pinning(bundle, null));
    expect(await keptMs()).toBeGreaterThan(170 * 86_400_000);
    expect(await records.bundles.deleteIfEmpty(formatBundleId(region, "0000000000000000"))).toBe(false);
  });
});
