import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { tempDir, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataVersionError } from "../data-version/data-version-error.ts";
import { archiveVersions } from "../data-version/data-versions.ts";
import { requireReadableArchive } from "./archive-identity.ts";
import { type ArchiveFiles, diskFiles } from "./files/archive-files.ts";
import { createLayout, dateAt, dayMs } from "./files/archive-layout.ts";
import { type ArchiveWorld, openArchiveWorld, region } from "./testing/archive-world.ts";

const redis = useRedis();
const { COLLECTED, CONFIRMED, DEPOSITED } = ReservationState;
let connection: RedisConnection;
let world: ArchiveWorld;
let directory: string;

beforeEach(async () => {
  connection = await redis.connect();
  directory = join(await tempDir(), "archive");
  world = await openArchiveWorld(redis, connection, directory);
  for (let count = 0; count < 3; count++) await world.live([CONFIRMED, DEPOSITED, COLLECTED]);
});
afterEach(() => connection.disconnect());

const unavailable = { reason: "ARCHIVE_UNAVAILABLE", retryAfterMs: 5000 };

/** Runs one round of archiving over some files. Returns the errors. */
async function failureOf(files: Partial<ArchiveFiles>): Promise<unknown> {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => void failures.push(error);
  await world.archiver({ files: { ...diskFiles, ...files }, onFailure }).once();
  return failures[0];
}

/** Whether the store has all events. */
async function hasAll(): Promise<boolean> {
  const found = await Promise.all(world.ids.map((id) => world.records.reservations.find(id)));
  const inStream = await redis.client.xlen(world.keys.events(region));
  return found.every((reservation) => reservation !== undefined) && inStream === 12;
}

describe("an archive with a fault", () => {
  it.each<[string, Partial<ArchiveFiles>]>([
    ["the disk is full", { write: () => Promise.reject(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" })) }],
    ["the disk fails", { syncDir: () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" })) }],
    ["what was written is not what is read", { write: writeSpoilt }],
    ["a name cannot be made", { linkNew: () => Promise.reject(Object.assign(new Error("EPERM: no links here"), { code: "EPERM" })) }],
  ])("takes nothing away where %s, and goes on when it is mended", async (_, files) => {
    await world.pass(5 * dayMs);
    const before = await world.readContent(world.records);
    // The directory exists before the fault.
    await world.archiver({ retentionMs: 100 * dayMs }).once();
    expect(await failureOf(files)).toBeInstanceOf(Error);
    expect(await hasAll()).toBe(true);
    expect(await failureOf({})).toBeUndefined();
    expect(await hasAll()).toBe(false);
    expect(await world.readContent()).toEqual(before);
  });

  it("has neither version nor id after a full disk, and gets both when there is room", async () => {
    const write: ArchiveFiles["write"] = async (path) => {
      await writeFile(path, "");
      throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    };
    await expect(world.archiver({ files: { ...diskFiles, write } }).once()).rejects.toThrow("ENOSPC");
    expect(await diskFiles.names(world.layout.root)).toEqual([]);
    expect(await world.records.archive.identity()).toBeUndefined();
    await requireReadableArchive(diskFiles, world.layout);
    await world.archiver().once();
    const written = JSON.parse(await readFile(world.layout.identity, "utf8"));
    expect(written).toEqual({ version: archiveVersions.written, id: await world.records.archive.identity() });
  });

  it("is refused if its version is one that this release does not read, and accepted if it cannot be read at all", async () => {
    await world.archiver().once();
    const { identity } = world.layout;
    const { id } = JSON.parse(await readFile(identity, "utf8"));
    await writeFile(identity, JSON.stringify({ version: 1, id }));
    await expect(requireReadableArchive(diskFiles, world.layout)).rejects.toThrow(
      new DataVersionError(
        `${identity} has version 1 and this release reads only version 2: start an earlier release that reads version 1, or give this one another archiveDir and Redis.`,
      ),
    );
    await writeFile(identity, JSON.stringify({ version: 3, id }));
    await expect(requireReadableArchive(diskFiles, world.layout)).rejects.toThrow(/ has version 3 .*: start a later release/);
    const read = () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
    await requireReadableArchive({ ...diskFiles, read }, world.layout);
  });

  it("is not mistaken for an empty one if its directory is missing: nothing is written, and archived data does not appear not to exist", async () => {
    await world.pass(5 * dayMs);
    await world.archiver().once();
    const before = await world.readContent();
    await world.live([CONFIRMED, DEPOSITED, COLLECTED]);
    await world.pass(5 * dayMs);
    await rename(directory, `${directory}-elsewhere`);
    const [id = ""] = world.ids;
    const { reservations, events } = world.reading();
    await expect(reservations.find(id)).rejects.toMatchObject(unavailable);
    await expect(events.chain(id)).rejects.toMatchObject(unavailable);
    await expect(events.readAfter(region, "0-0", 10)).rejects.toMatchObject(unavailable);
    // Stored data is still available.
    expect(await reservations.find(world.ids.at(-1) ?? "")).toMatchObject({ state: COLLECTED });
    await expect(world.archiver().once()).rejects.toThrow(/is empty, but the archive of this store is [0-9a-f]{32}/);
    expect(await redis.client.xlen(world.keys.events(region))).toBe(4);
    expect(await diskFiles.names(directory)).toEqual([]);
    await rename(`${directory}-elsewhere`, directory);
    await world.archiver().once();
    const after = await world.readContent();
    expect(after.events.slice(0, before.events.length)).toEqual(before.events);
    expect(after.events).toHaveLength(before.events.length + 4);
  });

  it("is not mistaken for that of another store", async () => {
    await world.archiver().once();
    const other = await openArchiveWorld({ client: redis.client, keyPrefix: `${redis.keyPrefix}other:` }, connection, await tempDir());
    await other.archiver().once();
    await expect(other.archiver({ layout: world.layout }).once()).rejects.toThrow(
      /is the archive [0-9a-f]{32}, but the archive of this store/,
    );
  });

  it("reports a changed byte, and returns no partial results", async () => {
    await world.pass(5 * dayMs);
    await world.archiver().once();
    const path = world.layout.data(region, dateAt(world.clock.now() - 5 * dayMs));
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(world.readContent()).rejects.toMatchObject(unavailable);
  });

  it("is required by a gateway without one when archived data is requested", async () => {
    await world.pass(5 * dayMs);
    await world.archiver().once();
    const { withArchive } = await import("./reservation-archive.ts");
    const without = withArchive({
      records: world.records,
      reader: undefined,
      requireIdentity: async () => undefined,
      now: world.clock.now,
      onFailure: () => undefined,
    });
    await expect(without.reservations.find(world.ids[0] ?? "")).rejects.toMatchObject(unavailable);
    await expect(without.events.readAfter(region, "0-0", 1)).rejects.toMatchObject(unavailable);
  });

  it("has a separate directory for each network", () => {
    expect(createLayout("/archive", "one").root).not.toBe(createLayout("/archive", "two").root);
  });
});

/** Changes a byte of a day's data. */
async function writeSpoilt(path: string, content: Parameters<ArchiveFiles["write"]>[1]): Promise<void> {
  await diskFiles.write(path, content);
  if (!path.includes("ndjson")) return;
  const bytes = await readFile(path);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
