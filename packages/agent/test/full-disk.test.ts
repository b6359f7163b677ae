import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, CommandOutcome, CommandSchema, CommandType, DeviceEventType } from "@petak/protocol";
import { EntryRefusal, EntrySchema } from "@petak/protocol/counter";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { NotWrittenError } from "../src/counter/entry.ts";
import { createSimulatedCabinet, createSimulatedTerminal } from "../src/simulation/index.ts";
import { siteId } from "./agent-gateway.ts";
import { advanceUntil, compartments, flushedInTime, notAccepted, pin, startSite, type TestSite, until } from "./site.ts";
import { startStore, tabletId } from "./store.ts";

/** The databases that were opened. */
const databases: DatabaseSync[] = [];

beforeEach(() => {
  databases.length = 0;
  const { exec } = DatabaseSync.prototype;
  vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
    if (!databases.includes(this)) databases.push(this);
    exec.call(this, sql);
  });
  onTestFinished(() => void vi.restoreAllMocks());
});

/** The database of the last agent. */
function lastDatabase(): DatabaseSync {
  const database = databases.at(-1);
  if (database === undefined) throw new Error("no database was opened");
  return database;
}

/** Makes every change to the disk fail, or lets them pass again. */
function setFull(isFull: boolean): void {
  lastDatabase().exec(`PRAGMA query_only = ${isFull ? 1 : 0}`);
}

const outOfOrder = { opened: false, refusal: "OUT_OF_ORDER" };
const messages = (site: TestSite, text: string) => site.log.filter(({ message }) => message.includes(text));

describe("an agent whose disk is full", () => {
  it("opens no door, tells everybody the same, goes on, and recovers by itself", async () => {
    const site = await startSite();
    const { agent, gateway, cabinet } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    await gateway.allowPin(gateway.newReservation(), pin);
    await agent.syncNow();
    setFull(true);
    for (const shown of [{ token }, { token: "nothing" }, { pin }, { pin: "87654321" }])
      expect(await agent.present(shown)).toEqual(outOfOrder);
    expect(compartments.map(({ compartmentId }) => cabinet.doorState(compartmentId))).toEqual(Array(4).fill("CLOSED"));
    expect(messages(site, "the disk is full or broken")).toHaveLength(1);

    setFull(false);
    expect(await agent.present({ token })).toMatchObject({ opened: true });
    site.useDoor({ opened: true, compartmentId: "A1", act: Act.DEPOSIT, doorsToCome: 0 });
    await flushedInTime(site);
    const refused = gateway.events.filter(({ type }) => type === DeviceEventType.DOOR_REFUSED);
    expect(refused.map(({ refusal, refusals, credentialHash }) => [refusal, refusals?.count, credentialHash])).toEqual([
      ["STORAGE_FAILED", 4, ""],
    ]);
    expect(gateway.eventNames()).toContain("PARCEL_DEPOSITED");
  });

  it("records later what became of doors that were open when the disk filled", async () => {
    for (const isDeposited of [true, false]) {
      const site = await startSite();
      const { agent, gateway, cabinet, timers } = site;
      const reservationId = gateway.newReservation();
      expect(await agent.present({ token: await gateway.token(Act.DEPOSIT, reservationId) })).toMatchObject({ compartmentId: "A1" });
      setFull(true);
      if (isDeposited) cabinet.putIn("A1");
      cabinet.closeDoor("A1");
      await until(() => messages(site, "the disk is full or broken").length > 0);
      // Waits between its attempts, however long the disk stays full.
      const endMs = timers.now() + 600_000;
      await advanceUntil(site, () => timers.now() >= endMs);
      expect(site.store.visits()).toMatchObject([{ phase: "OPEN" }]);
      setFull(false);
      await advanceUntil(site, () => site.store.visits().length === 0);
      await flushedInTime(site);
      expect(gateway.eventNames()).toEqual(["DOOR_OPENED", "DOOR_CLOSED", isDeposited ? "PARCEL_DEPOSITED" : "DOUBT"]);
      expect(messages(site, "the disk is full or broken")).toHaveLength(1);
    }
  });

  it("starts, opens doors once there is room, and then reports a command that was cut off", async () => {
    const site = await startSite();
    const { gateway, storePath, timers } = site;
    const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
    const command = create(CommandSchema, { commandId: "cmd_cut_off", type: CommandType.SYNC_NOW });
    site.store.commands.begin(command, { nowMs: timers.now(), deadlineMs: timers.now() + 60_000 });
    await site.stop();
    const { now, after } = timers;
    const next = createSimulatedTerminal({
      client: gateway.agents,
      siteId,
      storePath,
      cabinet: compartments,
      now,
      elapsedMs: now,
      after,
      refusalMs: 0,
    });
    onTestFinished(() => next.stop());
    setFull(true);
    await next.start();
    expect(await next.agent.present({ token })).toEqual(outOfOrder);
    setFull(false);
    expect(await next.agent.present({ token })).toMatchObject({ opened: true });
    await advanceUntil({ ...site, ...next }, () => next.store.commands.unfinished().length === 0);
    await flushedInTime({ ...site, ...next });
    const ended = gateway.events.filter(({ commandId }) => commandId === command.commandId);
    expect(ended.map(({ commandOutcome }) => commandOutcome)).toEqual([CommandOutcome.UNKNOWN]);
  });

  it("says that a door opened which it could not record as open, and finds out what became of it", async () => {
    const cabinet = createSimulatedCabinet({ compartments });
    const site = await startSite({
      cabinet: {
        ...cabinet,
        async open(compartmentId) {
          setFull(true);
          await cabinet.open(compartmentId);
        },
      },
    });
    const { agent, gateway, store } = site;
    const reservationId = gateway.newReservation();
    const token = await gateway.token(Act.DEPOSIT, reservationId);
    expect(await agent.present({ token })).toMatchObject({ opened: true, compartmentId: "A1" });
    cabinet.putIn("A1");
    cabinet.closeDoor("A1");
    await until(() => store.visits()[0]?.phase === "OPENING");
    setFull(false);
    await advanceUntil(site, () => store.visits().length === 0);
    await flushedInTime(site);
    expect(gateway.eventNames()).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "PARCEL_DEPOSITED"]);
    expect(await agent.present({ token })).toEqual(notAccepted);
  });

  it("keeps no door open to a second use, whichever of its changes is the last for which there is room", async () => {
    for (let room = 0; room < 6; room += 1) {
      const site = await startSite();
      const { agent, gateway, cabinet } = site;
      const database = lastDatabase();
      for (let number = 0; number < room; number += 1)
        site.store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" }, 0);
      const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
      database.exec(`PRAGMA max_page_count = ${pages}`);
      const token = await gateway.token(Act.DEPOSIT, gateway.newReservation());
      gateway.isUp = false;
      let opened = 0;
      for (let tries = 0; tries < 40 && opened === 0; tries += 1) {
        // Fills the pages that are left, report by report.
        const shown = await agent.present({ token: "x".repeat(300) });
        if (shown.opened) throw new Error("a door opened for nothing");
        const first = await agent.present({ token });
        if (!first.opened) continue;
        opened += 1;
        cabinet.putIn(first.compartmentId);
        cabinet.closeDoor(first.compartmentId);
      }
      expect((await agent.present({ token })).opened).toBe(false);
      database.exec("PRAGMA max_page_count = 100000");
      gateway.isUp = true;
      await advanceUntil(site, () => site.store.visits().length === 0);
      const again = await agent.present({ token });
      expect(again.opened).toBe(opened === 0);
      if (again.opened) site.useDoor(again);
      await agent.syncNow();
      await flushedInTime(site);
      expect(gateway.eventNames().filter((name) => name === "PARCEL_DEPOSITED")).toHaveLength(1);
    }
  });
});

describe("a store whose agent's disk is full", () => {
  it("takes over what a tablet has decided alone when the tablet sends it again, once the disk takes it", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const text = await store.gateway.token(Act.COLLECT, reservationId);
    const given = store.counter.leases.take(tabletId);
    const handOverId = randomUUID();
    const decided = { leaseNumber: given?.lease.number ?? 0n, handOverId, reservationId };
    const session = { clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId };
    const entries = [
      { case: "showCode" as const, value: { text, decided } },
      { case: "moveParcel" as const, value: { handOverId, label: "SHOP-0001" } },
    ].map((action) =>
      create(EntrySchema, { entryId: randomUUID(), clerkId: "clerk-2", madeAt: timestampFromMs(store.timers.now()), action }),
    );
    const [shown, moved] = entries;
    setFull(true);
    await expect(store.counter.submit(session, entries)).rejects.toThrow(NotWrittenError);
    setFull(false);
    const taken = await store.counter.submit(session, shown === undefined ? [] : [shown]);
    expect(taken).toMatchObject([{ refusal: EntryRefusal.UNSPECIFIED }]);
    setFull(true);
    await expect(store.counter.submit(session, moved === undefined ? [] : [moved])).rejects.toThrow(NotWrittenError);
    setFull(false);
    expect(await store.counter.submit(session, entries)).toMatchObject([taken[0], { refusal: EntryRefusal.UNSPECIFIED }]);
    await flushedInTime(store);
    expect(store.gateway.eventNames().filter((name) => name === "PARCEL_COLLECTED")).toHaveLength(1);
    expect(store.counter.parcels().parcels).toEqual([]);
  });
});
