import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toJsonString } from "@bufbuild/protobuf";
import {
  ChainStatementSchema,
  DeviceEventType,
  EventSchema,
  GetCustodyChainResponseSchema,
  ReservationState,
  Role,
  reasonOf,
} from "@petak/protocol";
import { roundsHere, startTestServer, tempDir } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { runPetak } from "../../testing/petak-process.ts";
import { type KeyWalk, usedBy, walkKeys } from "./key-families.ts";
import { type LifeEnd, startSoakNetwork } from "./soak-network.ts";

/** The number of days, and of lives of each kind that start on each. */
const days = roundsHere({ short: 9, ci: 12, long: 40 });
const each = roundsHere({ short: 1, ci: 3, long: 60 });

/** Days until as much is archived each day as is made: the retention, the rest of a day, and the tokens of cancelled reservations. */
const warmUpDays = 7;

const prefix = "soak";
const longMs = 600_000 + days * each * 3000;

/** All events in a participant's feed. */
async function allEvents({ client }: TestParticipant): Promise<string[]> {
  const events: string[] = [];
  for (let cursor = ""; ; ) {
    const page = await client.custody.listEvents({ cursor, pageSize: 1000 });
    events.push(...page.events.map((event) => toJsonString(EventSchema, event)));
    if (!page.hasMore) return events;
    cursor = page.nextCursor;
  }
}

it(
  "keeps a constant size while lives start and end, and loses none of them",
  async () => {
    await using server = await startTestServer();
    const redis = new Redis(server.options);
    const archiveDir = join(await tempDir(), "archive");
    const soak = await startSoakNetwork(server.address, redis, { prefix, archiveDir });
    const { courier, operator } = soak;
    try {
      // Everything except the time of the statement: its hashes of the events must be the same.
      const chainOf = async (reservationId: string) => {
        const { statement, ...chain } = await courier.client.custody.getCustodyChain({ reservationId });
        const hashes = create(ChainStatementSchema, { eventHashes: statement?.eventHashes ?? new Uint8Array() });
        return toJsonString(GetCustodyChainResponseSchema, { ...chain, statement: hashes });
      };
      const chains = new Map<string, string>();
      const lives: { end: LifeEnd; reservationId: string }[] = [];
      const walks: KeyWalk[] = [];
      const usedMemory: number[] = [];
      const trackedKeys: number[] = [];
      const infoOf = async (section: string, name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(await redis.info(section))?.[1]);
      let cursorOfDayTwo = "";
      let eventsOfDayTwo: string[] = [];
      for (let day = 0; day < days; day++) {
        if (day === 2) {
          const before = await allEvents(courier);
          cursorOfDayTwo = (await courier.client.custody.listEvents({ fromNow: true })).nextCursor;
          eventsOfDayTwo = before;
        }
        const begun = await soak.live(each);
        lives.push(...begun);
        await soak.passDay();
        // The chains of ended reservations, before they are archived.
        for (const { reservationId } of begun) chains.set(reservationId, await chainOf(reservationId));
        walks.push(await walkKeys(redis, prefix));
        // Without the buffer of the append-only file, which a slow disk lets grow and then empties.
        usedMemory.push((await infoOf("memory", "used_memory")) - (await infoOf("memory", "mem_not_counted_for_evict")));
        trackedKeys.push(await infoOf("stats", "tracking_total_keys"));
      }

      const warm = walks.slice(warmUpDays);
      const first = warm[0] as KeyWalk;
      const last = warm.at(-1) as KeyWalk;
      expect(walks.flatMap(({ unknown }) => unknown)).toEqual([]);
      expect(walks.flatMap(({ endless }) => endless)).toEqual([]);
      // Families that depend on live reservations have their former size, and the others have not grown, apart from a digit more in
      // watermarks and counters.
      expect(usedBy(last, "with live data").keys).toBeLessThanOrEqual(usedBy(first, "with live data").keys + 3);
      // A page of a stream takes a few kB, whether it is full or not.
      expect(usedBy(last, "with live data").bytes).toBeLessThan(usedBy(first, "with live data").bytes * 1.03 + 4096);
      // What was issued is known for 14 days after its end, longer than this test: one key for each reservation or bundle.
      const issued = (walk: KeyWalk) => walk.families.get("issued tokens")?.keys ?? 0;
      expect(usedBy(last, "by expiry").keys - issued(last)).toBeLessThan((usedBy(first, "by expiry").keys - issued(first)) * 1.03);
      expect(issued(last)).toBeLessThanOrEqual(2 * lives.length);
      expect(usedBy(last, "never").keys).toBe(usedBy(first, "never").keys);
      expect(usedBy(last, "never").bytes).toBeLessThan(usedBy(first, "never").bytes * 1.02);
      // The server's memory besides the keys varies from day to day by some 200 kB.
      expect(usedMemory.at(-1)).toBeLessThan((usedMemory[warmUpDays] as number) * 1.03 + 300_000);
      expect(trackedKeys.at(-1)).toBeLessThanOrEqual(trackedKeys[warmUpDays] as number);

      // The size is meaningful only if something was archived.
      const inRecords = await Promise.all(
        lives.map(({ reservationId }) => redis.exists(`${prefix}:{${reservationId.slice(4, 10)}}:res:${reservationId.slice(11)}`)),
      );
      expect(inRecords.filter((isThere) => isThere === 0).length).toBeGreaterThan(lives.length / 4);

      // Everything reads as before.
      for (const { reservationId, end } of lives) {
        const known = chains.get(reservationId);
        // Parcels that are collected late had not ended.
        if (!end.startsWith("collected late")) expect(await chainOf(reservationId)).toBe(known);
      }
      const events = await allEvents(courier);
      expect(new Set(events).size).toBe(events.length);
      expect(events.slice(0, eventsOfDayTwo.length)).toEqual(eventsOfDayTwo);
      const chained: string[] = [];
      for (const { reservationId } of lives) {
        const chain = await courier.client.custody.getCustodyChain({ reservationId });
        chained.push(...chain.events.map((event) => toJsonString(EventSchema, event)));
      }
      // A chain does not contain feed numbers, and the feed has a number for each event.
      const numbers = events.map((event) => Number((JSON.parse(event) as { feedNumber: string }).feedNumber));
      expect(numbers).toEqual(Array.from({ length: events.length }, (_, index) => index + 1));
      const withoutNumber = (event: string) => event.replace(/,"feedNumber":"\d+"/, "").replace(/,"sequence":"\d+"/, "");
      expect(events.map(withoutNumber).sort()).toEqual(chained.sort());
      const page = await courier.client.custody.listEvents({ cursor: cursorOfDayTwo, pageSize: 5 });
      expect(page.events.map((event) => toJsonString(EventSchema, event))).toEqual(
        events.slice(eventsOfDayTwo.length, eventsOfDayTwo.length + 5),
      );

      // Refusals are the same as before: a stranger does not find it, and an ended reservation cannot be confirmed.
      const [gone = ""] = lives.filter(({ end }) => end === "cancelled").map(({ reservationId }) => reservationId);
      const stranger = await soak.network.join("Stranger", [Role.COURIER]);
      for (const call of [stranger.client.reservations.getReservation, stranger.client.custody.getCustodyChain]) {
        expect(reasonOf(await call({ reservationId: gone }).catch((error: unknown) => error))).toBe("RESERVATION_NOT_FOUND");
      }
      const requestId = "6d7c4c3e-5f0a-4b7e-9d38-0d2b7c9a1e55";
      const confirming = courier.client.reservations.confirm({ requestId, reservationId: gone });
      expect(reasonOf(await confirming.catch((error: unknown) => error))).toBe("ILLEGAL_STATE");

      // A late report from the site is recorded, and leaves a doubt for the operator.
      await soak.report(gone, DeviceEventType.PARCEL_DEPOSITED);
      const doubted = await operator.client.custody.getCustodyChain({ reservationId: gone });
      expect(doubted.reservation?.state).toBe(ReservationState.IN_DOUBT);
      expect(doubted.events).toHaveLength(3);

      const location = ["--archive-dir", archiveDir, "--prefix", prefix, "--json"];
      const verified = await runPetak(archiveDir, ["archive", "verify", ...location]);
      expect(verified.exitCode).toBe(0);
      // A long verification prints its progress.
      expect(verified.stderr.replaceAll(/^Verifying: .*\n/gm, "")).toBe("");
      expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [], days: expect.any(Number) });
      const listed = JSON.parse((await runPetak(archiveDir, ["archive", "list", ...location])).stdout) as {
        days: { date: string; events: number; reservations: number }[];
      };
      expect(listed.days.reduce((sum, day) => sum + day.events, 0)).toBe(JSON.parse(verified.stdout).events);
      const shown = JSON.parse((await runPetak(archiveDir, ["archive", "show", gone, ...location])).stdout);
      // Without the attributes that a gateway adds to events without recording them.
      const recorded = JSON.parse(chains.get(gone) ?? "").events.map(
        ({ cloudEvent: _, occurredAtUtcOffset: __, ...event }: Record<string, unknown>) => event,
      );
      expect(shown.events).toEqual(recorded);

      // Missing and damaged data are named, and an index is rebuilt.
      const petak = async (...args: string[]) => {
        const { exitCode, stdout } = await runPetak(archiveDir, ["archive", ...args, ...location]);
        return { exitCode, result: JSON.parse(stdout) as { error?: { reason: string }; problems?: { problem: string; date?: string }[] } };
      };
      const regionDir = join(archiveDir, prefix, `region=${gone.slice(4, 10)}`);
      await rm(join(regionDir, "index"), { recursive: true });
      expect(await petak("show", gone)).toMatchObject({ exitCode: 1, result: { error: { reason: "archive-damaged" } } });
      expect((await petak("verify")).result.problems).toHaveLength(1);
      expect(await petak("verify", "--rebuild-index")).toMatchObject({ exitCode: 0, result: { problems: [] } });
      expect((await petak("show", gone)).exitCode).toBe(0);
      expect(await petak("show", `${gone.slice(0, -1)}${gone.endsWith("0") ? "1" : "0"}`)).toMatchObject({
        exitCode: 1,
        result: { error: { reason: "not-archived" } },
      });
      const [{ date } = { date: "" }] = listed.days;
      const data = join(regionDir, `date=${date}`, "events.ndjson.gz");
      const bytes = await readFile(data);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(data, bytes);
      expect(await petak("verify")).toMatchObject({
        exitCode: 1,
        result: { problems: [{ date, problem: expect.stringContaining("SHA-256") }] },
      });

      expect(soak.network.lines.filter((line) => line.includes("archiv"))).toEqual([]);
    } finally {
      redis.disconnect();
      await soak.stop();
    }
  },
  longMs,
);
