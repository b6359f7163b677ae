import { spawn } from "node:child_process";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { encodeBase64url } from "@petak/credential";
import { Act, AllowanceSchema, BundleAllowanceSchema, DeviceEventType, ProofKind } from "@petak/protocol";
import { createTempDir, tempDir } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openAgentStore } from "./agent-store.ts";
import { AgentStoreError } from "./open-database.ts";

const nowMs = Date.UTC(2026, 10, 24);
const report = { type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" };
const sequences = (events: { sequence: bigint }[]) => events.map(({ sequence }) => Number(sequence));
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => index + first);
const recorded = (sequence: number) => ({ sequence, hash: new Uint8Array() });

async function newPath(): Promise<string> {
  return join(await tempDir(), "agent.db");
}

describe("an outbox", () => {
  it("numbers its reports without a gap across failures, acknowledgements and restarts", async () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 5 }) }) },
      fc.record({ kind: fc.constant("fail" as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("acknowledge" as const), count: fc.nat(10) }),
      fc.record({ kind: fc.constant("reopen" as const), count: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        await using folder = await createTempDir();
        const path = join(folder.path, "agent.db");
        let store = openAgentStore(path);
        let last = 0;
        let acknowledged = 0;
        for (const { kind, count } of operations) {
          const append = () => {
            for (let index = 0; index < count; index += 1) store.outbox.append(report, nowMs);
          };
          if (kind === "append") {
            append();
            last += count;
          } else if (kind === "fail") {
            const failing = () => {
              append();
              throw new Error("the power went");
            };
            expect(() => store.transaction(failing)).toThrow("the power went");
          } else if (kind === "acknowledge") {
            acknowledged = Math.min(last, acknowledged + count);
            store.outbox.acknowledge(acknowledged);
          } else {
            store.close();
            store = openAgentStore(path);
          }
          expect([store.outbox.lastSequence(), store.outbox.acknowledgedSequence()]).toEqual([last, acknowledged]);
          expect(sequences(store.outbox.after(acknowledged, 1000))).toEqual(upTo(last, acknowledged + 1));
        }
        store.close();
      }),
      { numRuns: 15 },
    );
  });

  it("retains some acknowledged reports, and returns none of those it has deleted", async () => {
    const store = openAgentStore(await newPath());
    store.transaction(() => upTo(1100).map(() => store.outbox.append(report, nowMs)));
    store.outbox.acknowledge(1050);
    expect(sequences(store.outbox.after(50, 2))).toEqual([51, 52]);
    expect(store.outbox.after(49, 2)).toEqual([]);
    store.outbox.acknowledge(10);
    expect(store.outbox.acknowledgedSequence()).toBe(1050);
    store.close();
  });

  it("continues after another store's reports, also if the gateway has more than it ever wrote", async () => {
    const store = openAgentStore(await newPath());
    const ids = [1, 2].map(() => store.outbox.append(report, nowMs).deviceEventId);
    store.outbox.continueAfter("key_test_a", recorded(57));
    expect(sequences(store.outbox.after(57, 10))).toEqual([58, 59]);
    expect(store.outbox.after(57, 10).map(({ deviceEventId }) => deviceEventId)).toEqual(ids);
    store.outbox.continueAfter("key_test_a", recorded(58));
    expect(store.outbox.lastSequence()).toBe(59);
    store.outbox.continueAfter("key_test_a", recorded(80));
    expect(store.outbox.after(80, 10).map(({ deviceEventId }) => deviceEventId)).toEqual(ids);
    expect(store.outbox.append(report, nowMs).sequence).toBe(83n);
    store.close();
  });

  it("restarts its numbers under a new key, with the reports unacknowledged under the old one", async () => {
    const store = openAgentStore(await newPath());
    store.outbox.continueAfter("key_test_a", recorded(0));
    const ids = upTo(4).map(() => store.outbox.append(report, nowMs).deviceEventId);
    store.outbox.acknowledge(2);
    store.outbox.continueAfter("key_test_b", recorded(0));
    expect(sequences(store.outbox.after(0, 10))).toEqual([1, 2]);
    expect(store.outbox.after(0, 10).map(({ deviceEventId }) => deviceEventId)).toEqual(ids.slice(2));
    store.close();
  });

  it("keeps the time of a report within the protocol's range", async () => {
    const store = openAgentStore(await newPath());
    expect(store.outbox.append(report, 0).occurredAt).toEqual(timestampFromMs(Date.UTC(2000, 0, 1)));
    expect(store.outbox.append(report, 9e12).occurredAt).toEqual(timestampFromMs(Date.UTC(2200, 0, 1)));
    store.close();
  });
});

describe("a store", () => {
  it("spends nothing twice, and deletes only what has expired", async () => {
    const path = await newPath();
    let store = openAgentStore(path);
    store.spend("a", nowMs);
    store.spend("b", nowMs + 1);
    expect(() => store.spend("a", nowMs)).toThrow();
    store.close();
    store = openAgentStore(path);
    expect([store.isSpent("a"), store.isSpent("b"), store.isSpent("c")]).toEqual([true, true, false]);
    store.forgetSpent(nowMs + 1);
    expect([store.isSpent("a"), store.isSpent("b")]).toEqual([false, true]);
    store.close();
  });

  it("returns everything as it was stored", async () => {
    const path = await newPath();
    let store = openAgentStore(path);
    const allowance = create(AllowanceSchema, { reservationId: "r", act: Act.COLLECT, pinHash: new Uint8Array(32).fill(1) });
    const visit = {
      compartmentId: "A1",
      credentialId: "c",
      proofKind: ProofKind.PIN,
      act: Act.COLLECT,
      reservationId: "r",
      bundleId: "b",
      isDelegated: true,
      presence: "claims.challenge.key.signature",
      phase: "OPEN",
      reopenings: 1,
      graceUntilMs: nowMs,
    } as const;
    const lockOut = { failures: 6, leftMs: 60_000 };
    expect([store.syncVersion(), store.pinKey(), store.site(), store.trustBundle()]).toEqual([0n, undefined, undefined, undefined]);
    expect(store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "OK", reservationId: "" });
    store.saveBoot({ site: undefined, pinKey: new Uint8Array(32).fill(2), trustBundle: undefined });
    const bundle = create(BundleAllowanceSchema, { bundleId: "b", reservationIds: ["r"] });
    const told = { allowances: [allowance], bundles: [bundle], revokedServiceHashes: ["h"] };
    store.saveSync({ version: 2n ** 64n - 1n, ...told, trustBundle: undefined });
    store.saveToCollect("c", ["r", "s"]);
    store.removeToCollect("c", "r");
    store.saveVisit(visit);
    store.saveCompartment({ compartmentId: "A1", condition: "IN_DOUBT", reservationId: "r" });
    store.saveLockOut(lockOut);
    store.saveClock({ floorMs: nowMs, offsetMs: -7 });
    store.close();
    store = openAgentStore(path);
    expect(store.pinKey()).toEqual(new Uint8Array(32).fill(2));
    expect(store.syncVersion()).toBe(2n ** 64n - 1n);
    expect(store.allowances.all()).toEqual([allowance]);
    expect(store.bundles()).toEqual([bundle]);
    expect(store.revokedServiceHashes()).toEqual(["h"]);
    expect([store.toCollect("c"), store.toCollect("another")]).toEqual([["s"], []]);
    expect(store.visits()).toEqual([visit]);
    expect(store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "IN_DOUBT", reservationId: "r" });
    expect(store.lockOut()).toEqual(lockOut);
    expect([store.clockFloorMs(), store.clockOffsetMs()]).toEqual([nowMs, -7]);
    store.close();
  });

  it("finds the allowances that bear on a reservation or a PIN: its own, and the doors promised to others", async () => {
    const store = openAgentStore(await newPath());
    const [pin, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const make = (reservationId: string, act: Act, more = {}) => create(AllowanceSchema, { reservationId, act, ...more });
    const deposit = make("a", Act.DEPOSIT, { compartmentId: "A1" });
    const collect = make("a", Act.COLLECT, { pinHash: pin });
    const promised = make("b", Act.DEPOSIT, { compartmentId: "A2" });
    const allowances = [
      deposit,
      promised,
      collect,
      make("b", Act.COLLECT, { pinHash: other, compartmentId: "A2" }),
      make("c", Act.DEPOSIT),
    ];
    const told = { bundles: [], revokedServiceHashes: [], trustBundle: undefined };
    store.saveSync({ version: 1n, allowances, ...told });
    expect(store.allowances.all()).toEqual(allowances);
    expect(store.allowances.of("a")).toEqual([deposit, collect, promised]);
    expect(store.allowances.ofPin(encodeBase64url(pin))).toEqual([deposit, collect, promised]);
    expect(store.allowances.ofPin(encodeBase64url(new Uint8Array(32)))).toEqual([]);
    store.spend(encodeBase64url(pin), nowMs);
    store.spend("a token", nowMs);
    store.forgetSpent(nowMs + 1);
    expect([store.isSpent(encodeBase64url(pin)), store.isSpent("a token")]).toEqual([true, false]);
    store.saveSync({ version: 2n, allowances: [], ...told });
    expect(store.allowances.of("a")).toEqual([]);
    store.close();
  });

  it("applies a difference to allowances and bundles, or nothing of it", async () => {
    const path = await newPath();
    let store = openAgentStore(path);
    const allowance = (reservationId: string, act: Act, compartmentId = "") =>
      create(AllowanceSchema, { reservationId, act, compartmentId });
    const bundle = (bundleId: string, ...reservationIds: string[]) => create(BundleAllowanceSchema, { bundleId, reservationIds });
    const told = { revokedServiceHashes: [], trustBundle: undefined };
    const allowances = ["a", "b", "c"].flatMap((id) => [allowance(id, Act.DEPOSIT), allowance(id, Act.COLLECT)]);
    const bundles = [bundle("one", "a", "b"), bundle("two", "b"), bundle("three", "c"), bundle("four", "c")];
    store.saveSync({ version: 7n, versionTag: 8, allowances, bundles, ...told });
    const difference = {
      ...{ version: 9n, versionTag: 2 ** 32 - 1, isDifference: true, revokedServiceHashes: ["hash"], trustBundle: undefined },
      allowances: [allowance("c", Act.COLLECT, "A1"), allowance("d", Act.DEPOSIT)],
      bundles: [bundle("three", "c", "d")],
      ...{ removedReservationIds: ["b", "unknown"], removedBundleIds: ["four", "unknown"] },
    };
    const state = () => ({
      known: [store.syncVersion(), store.syncVersionTag()],
      allowances: store.allowances.all(),
      bundles: store.bundles(),
      revoked: store.revokedServiceHashes(),
    });
    const before = state();
    // The trust bundle, which is written last, cannot be.
    expect(() => store.saveSync({ ...difference, trustBundle: {} as never })).toThrow();
    expect(state()).toEqual(before);
    store.saveSync(difference);
    const after = {
      known: [9n, 2 ** 32 - 1],
      allowances: [...allowances.slice(0, 2), ...difference.allowances],
      bundles: [bundle("one", "a"), bundle("three", "c", "d")],
      revoked: ["hash"],
    };
    expect(state()).toEqual(after);
    store.close();
    store = openAgentStore(path);
    expect(state()).toEqual(after);
    store.close();
  });

  it("is used by one agent at a time, and readable by its owner only", async () => {
    const path = await newPath();
    const store = openAgentStore(path);
    expect(() => openAgentStore(path)).toThrow(new AgentStoreError(`${path} is in use by another agent; stop that one first`));
    for (const name of [path, `${path}-wal`]) expect((await stat(name)).mode & 0o777).toBe(0o600);
    store.close();
    openAgentStore(path).close();
  });

  it("of an earlier version is brought to the present one with all that is in it", async () => {
    const path = await newPath();
    const database = new DatabaseSync(path);
    // The first version, as it was made.
    database.exec(`
      CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE allowance (position INTEGER PRIMARY KEY, message BLOB NOT NULL) STRICT;
      CREATE TABLE spent (credential_id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE compartment (
        compartment_id TEXT PRIMARY KEY, condition TEXT NOT NULL, reservation_id TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE visit (
        compartment_id TEXT PRIMARY KEY, credential_id TEXT NOT NULL, proof_kind INTEGER NOT NULL, act INTEGER NOT NULL,
        reservation_id TEXT NOT NULL, phase TEXT NOT NULL, reopenings INTEGER NOT NULL, grace_until_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE outbox (sequence INTEGER PRIMARY KEY, message BLOB NOT NULL) STRICT;
      CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO spent VALUES ('a', ${nowMs});
      INSERT INTO compartment VALUES ('A1', 'IN_DOUBT', 'r');
      INSERT INTO visit VALUES ('A2', 'a', 1, 2, 's', 'OPEN', 1, ${nowMs});
      INSERT INTO number VALUES ('lock_out_failures', 8), ('lock_out_last_failure_ms', ${nowMs}), ('lock_out_until_ms', ${nowMs + 240_000});
      PRAGMA user_version = 1;`);
    const pinHash = new Uint8Array(32).fill(1);
    const allowance = create(AllowanceSchema, { reservationId: "r", act: Act.COLLECT, pinHash });
    database.prepare("INSERT INTO allowance (message) VALUES (?)").run(toBinary(AllowanceSchema, allowance));
    database.close();
    const store = openAgentStore(path);
    expect([store.allowances.of("r"), store.allowances.ofPin(encodeBase64url(pinHash))]).toEqual([[allowance], [allowance]]);
    expect(store.isSpent("a")).toBe(true);
    expect(store.compartment("A1")).toEqual({ compartmentId: "A1", condition: "IN_DOUBT", reservationId: "r" });
    expect(store.visits()).toMatchObject([{ compartmentId: "A2", credentialId: "a", bundleId: "", isDelegated: false }]);
    expect(store.lockOut()).toEqual({ failures: 8, leftMs: 240_000 });
    store.saveEnded("r");
    expect(store.hasEnded("r")).toBe(true);
    store.close();
  });

  it("of a later version is refused in one sentence and left as it is", async () => {
    const path = await newPath();
    openAgentStore(path).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 7");
    database.close();
    expect(() => openAgentStore(path)).toThrow(
      new AgentStoreError(
        `${path} has version 7 and this release reads versions up to 6: start a later release of the agent that reads version 7, or give this one a new store`,
      ),
    );
    const after = new DatabaseSync(path);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 7 });
    after.close();
  });

  it("of an earlier version is refused in one sentence and left as it is where its site's id has no store code", async () => {
    const path = await newPath();
    const asVersion3 = async (siteId: string) => {
      const store = openAgentStore(path);
      store.bind(siteId);
      store.close();
      const database = new DatabaseSync(path);
      database.exec(`
        ALTER TABLE visit DROP COLUMN presence; DROP TABLE revoked_issuer_key; DROP TABLE command; DROP TABLE out_of_service; DROP TABLE condition;
        DROP TABLE shelf_place; DROP TABLE delivery; DROP TABLE shift; DROP TABLE month_work; DROP TABLE photo; DROP TABLE hand_over; DROP TABLE counter_entry; DROP TABLE counter_session; DROP TABLE clerk_lock; DROP TABLE counter_lease; DROP TABLE parcel_in_hand;
        DROP TABLE shelf_parcel; DROP INDEX allowance_of_reservation; DROP INDEX allowance_of_pin;
        DROP INDEX promise; ALTER TABLE allowance DROP COLUMN reservation_id; ALTER TABLE allowance DROP COLUMN pin_id;
        ALTER TABLE allowance DROP COLUMN is_promise; PRAGMA user_version = 3`);
      database.close();
    };
    await asVersion3("site_836520_k3v9c0x2md000008");
    openAgentStore(path).close();
    await rm(path);
    await asVersion3("site_836520_8");
    expect(() => openAgentStore(path)).toThrow(
      new AgentStoreError(
        `${path} has version 3 and belongs to site 'site_836520_8', and this release reads only site ids with a store code: start an earlier release of the agent that reads such ids, or give this one a new store`,
      ),
    );
    const after = new DatabaseSync(path);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 3 });
    after.close();
  });

  it("of an earlier version is left as it was where it cannot be brought to the present one", async () => {
    const path = await newPath();
    const database = new DatabaseSync(path);
    // The step to version 2 adds columns to a table that is not there.
    database.exec("CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID; PRAGMA user_version = 1;");
    database.close();
    expect(() => openAgentStore(path)).toThrow("no such table: visit");
    const after = new DatabaseSync(path);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
    expect(after.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()).toEqual([{ name: "fact" }]);
    after.close();
  });

  it("is refused if the file is something else", async () => {
    expect(() => openAgentStore(fileURLToPath(import.meta.url))).toThrow("is not an agent's store");
  });

  it("keeps all writes when its process is killed, and then releases the lock", async () => {
    const path = await newPath();
    const script = `
      import { openAgentStore } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
      const store = openAgentStore(process.argv[1]);
      for (let count = 1; ; count += 1) {
        store.transaction(() => {
          store.spend(String(count), ${nowMs});
          store.outbox.append({ type: 3 }, ${nowMs});
        });
        process.stdout.write(count + "\\n");
        if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8");
    for await (const chunk of child.stdout) {
      text += chunk;
      if (text.split("\n").length > 200) {
        expect(() => openAgentStore(path)).toThrow("in use by another agent");
        child.kill("SIGKILL");
        break;
      }
    }
    if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once("exit", resolve));
    const store = openAgentStore(path);
    const told = text.split("\n").length - 1;
    const last = store.outbox.lastSequence();
    expect(last).toBeGreaterThanOrEqual(told);
    expect(sequences(store.outbox.after(0, 1_000_000))).toEqual(upTo(last));
    expect(upTo(last).every((count) => store.isSpent(String(count)))).toBe(true);
    expect(store.isSpent(String(last + 1))).toBe(false);
    store.close();
  });
});
