import { rename, writeFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { type AuditEntry, AuditEntrySchema, AuditOutcome } from "@petak/protocol";
import { createKeys, type RedisConnection } from "@petak/redis";
import { createRandom, dies, roundsHere, tempDir, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditBounds, createAuditLog } from "../audit/audit-log.ts";
import { archiveAudit, auditFileAgeMs } from "./audit-archiver.ts";
import { type ArchiveFiles, diskFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, createLayout } from "./files/archive-layout.ts";
import { archivedAudit, auditFiles } from "./files/audit-file.ts";
import { createMortal, type DeathMoment } from "./testing/mortal.ts";

const redis = useRedis();
const mode = "live";
const [participantId, other, third] = ["par_0000000000000001", "par_0000000000000002", "par_0000000000000003"] as const;
/** The distance between the steps at which the process crashes. */
const stride = roundsHere({ short: 4, ci: 1 });
let connection: RedisConnection;
let layout: ArchiveLayout;
let prefix: string;

beforeEach(async () => {
  connection = await redis.connect();
  connection.setMaxListeners(0);
  await begin("first");
  return () => connection.disconnect();
});

async function begin(name: string): Promise<void> {
  prefix = `${redis.keyPrefix}${name}`;
  layout = createLayout(await tempDir(), "petak");
}

const logOver = (over: RedisConnection, bounds: Partial<AuditBounds> = {}) =>
  createAuditLog(over, createKeys(prefix), { onlyArchived: true, callMs: 0, ...bounds });

async function make(requestId: string, by: string = participantId, bounds: Partial<AuditBounds> = {}): Promise<void> {
  const log = logOver(connection, bounds);
  const [request, entry] = [
    { mode, participantId: by, requestId, fingerprint: "" } as const,
    create(AuditEntrySchema, { participantId: by, requestId }),
  ];
  await log.begin(request, entry);
  await log.settle(request, entry);
}

/** Archives what is due at a time. Throws what fails. */
async function archive(
  timeMs = Date.now() + auditFileAgeMs,
  { files = diskFiles, over = connection }: { files?: ArchiveFiles; over?: RedisConnection } = {},
) {
  const failures: unknown[] = [];
  const lagMs = await archiveAudit({ auditLog: logOver(over), files, layout, onFailure: (error) => failures.push(error) }, timeMs);
  if (failures.length > 0) throw failures[0];
  return lagMs;
}

/** The archived entries in order, and what is wrong with the archive. */
async function archived(): Promise<{ entries: AuditEntry[]; problems: string[] }> {
  const read = await Array.fromAsync(archivedAudit(diskFiles, layout, mode));
  return {
    entries: read.flatMap((file) => ("entries" in file ? file.entries : [])),
    problems: read.flatMap((file) => ("problem" in file ? file.problem : [])),
  };
}

async function stored(): Promise<AuditEntry[]> {
  const query = { mode, after: undefined, fromMs: undefined, toMs: undefined, count: 10_000, matches: () => true } as const;
  return (await logOver(connection).read(query)).entries;
}

const idsOf = (entries: readonly AuditEntry[]) => entries.map(({ requestId }) => requestId);

describe("archiving administrative changes", () => {
  it("copies entries once the oldest is an hour old, and again from where it ended", async () => {
    for (const requestId of ["a", "b"]) await make(requestId);
    await archive(Date.now());
    expect((await archived()).entries).toEqual([]);
    expect(await archive()).toBe(0);
    await make("c");
    expect(await archive(Date.now() + auditFileAgeMs)).toBe(0);
    expect((await archived()).entries).toEqual(await stored());
    expect(idsOf(await stored())).toEqual(["a", "b", "c"]);
    expect((await auditFiles(diskFiles, layout, mode)).length).toBe(2);
  });

  it("copies a thousand entries at once, however young they are", async () => {
    const writing = redis.client.pipeline();
    const bytes = Buffer.from([0x1a, 1, 0x61]);
    for (let number = 0; number < 1500; number += 1) writing.xadd(createKeys(prefix).auditEntries(mode), "*", "done", bytes);
    await writing.exec();
    await archive(Date.now());
    expect((await archived()).entries.length).toBe(1000);
  });

  it("lets nothing be dropped that it has not copied", async () => {
    const bounds = { entriesMax: 2 };
    for (const requestId of ["a", "b", "c", "d"]) await make(requestId, participantId, bounds);
    await make("other", other, bounds);
    await make("e", third, { keptMs: -1000 });
    expect(idsOf(await stored())).toEqual(["a", "b", "c", "d", "other", "e"]);
    await archive();
    await make("f", participantId, bounds);
    expect(idsOf(await stored())).toEqual(["d", "other", "e", "f"]);
    await make("g", third, { keptMs: -1000 });
    expect(idsOf(await stored())).toEqual(["e", "f", "g"]);
    await archive();
    expect(idsOf((await archived()).entries)).toEqual(["a", "b", "c", "d", "other", "e", "f", "g"]);
  });

  it("has a change that was cut off, and that it was completed later", async () => {
    const entry = create(AuditEntrySchema, { participantId, requestId: "a" });
    await logOver(connection).begin({ mode, participantId, requestId: "a", fingerprint: "" }, entry);
    await archive();
    await make("a");
    await archive();
    const { entries } = await archived();
    expect(entries.map(({ requestId, outcome }) => [requestId, outcome])).toEqual([
      ["a", AuditOutcome.UNKNOWN],
      ["a", AuditOutcome.DONE],
    ]);
  });

  it.each<DeathMoment>(["before", "done"])(
    "loses nothing, at whichever step it crashes (%s), and another completes its work",
    async (moment) => {
      const random = createRandom(testSeed());
      for (let atStep = random.int(1, stride); ; atStep += stride) {
        await begin(`${moment}${atStep}`);
        for (const requestId of ["a", "b"]) await make(requestId);
        const mortal = createMortal(connection, diskFiles, atStep, moment);
        await dies(archive(undefined, { files: mortal.files, over: mortal.connection }));
        await make("c");
        await archive();
        expect(await archived()).toEqual({ entries: await stored(), problems: [] });
        if (!mortal.isDead) break;
      }
    },
    120_000,
  );

  it("is done by several gateways at once", async () => {
    for (let round = 0; round < roundsHere({ short: 3, ci: 30 }); round += 1) {
      await make(`r${round}`);
      await Promise.all([archive(), archive(), archive()]);
    }
    expect(await archived()).toEqual({ entries: await stored(), problems: [] });
  });
});

describe("a store that was put back from a copy", () => {
  it("goes on after the entries that only the archive has", async () => {
    const keys = createKeys(prefix);
    await make("a");
    await archive();
    const until = (await redis.client.get(keys.auditArchivedUntil(mode))) ?? "";
    for (const requestId of ["b", "c"]) await make(requestId);
    await archive();
    const lost = (await stored()).at(-1)?.entryId ?? "";
    await redis.client.xdel(keys.auditEntries(mode), lost);
    await redis.client.set(keys.auditArchivedUntil(mode), until);
    await make("d");
    await archive();
    await archive();
    const { entries, problems } = await archived();
    expect([idsOf(entries), problems]).toEqual([["a", "b", "c", "d"], []]);
  });
});

describe("an archive that is not as it was written", () => {
  it("is written again where the store still has the entries", async () => {
    await make("a");
    const mortal = createMortal(connection, diskFiles, Number.MAX_SAFE_INTEGER, "before");
    await archive(undefined, { files: mortal.files, over: mortal.connection });
    const [file] = await auditFiles(diskFiles, layout, mode);
    await redis.client.del(createKeys(prefix).auditArchivedUntil(mode));
    await writeFile(file?.path ?? "", "half of it");
    await expect(archive()).rejects.toThrow(/is damaged/);
    await archive();
    expect(await archived()).toEqual({ entries: await stored(), problems: [] });
  });

  it("is told: a file that was changed, and one that is missing", async () => {
    for (const requestId of ["a", "b", "c"]) {
      await make(requestId);
      await archive();
    }
    const [first, second] = await auditFiles(diskFiles, layout, mode);
    await rename(second?.path ?? "", `${second?.path}.elsewhere`);
    expect((await archived()).problems).toEqual([expect.stringMatching(/the file before it is missing/)]);
    await rename(`${second?.path}.elsewhere`, second?.path ?? "");
    await writeFile(first?.path ?? "", "half of it");
    expect((await archived()).problems).toEqual([expect.stringMatching(/is damaged/)]);
  });

  it("is not believed where it differs from the store", async () => {
    await make("a");
    await archive();
    const keys = createKeys(prefix);
    await redis.client.del(keys.auditArchivedUntil(mode));
    const [id] = (await redis.client.xrange(keys.auditEntries(mode), "-", "+"))[0] ?? [""];
    await redis.client.del(keys.auditEntries(mode));
    await redis.client.xadd(keys.auditEntries(mode), id, "done", Buffer.from([0x1a, 1, 0x61]));
    await expect(archive()).rejects.toThrow(/differs from the store at entry .*; nothing was dropped/);
    expect(await logOver(connection).archivedUntil(mode)).toBe("0-0");
  });
});
