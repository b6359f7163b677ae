import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, type DeviceEvent, DeviceEventType } from "@petak/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { firstWindowMs, longestWindowMs, namedMax, singlesMax } from "../src/door/refusal-tally.ts";
import { deposit, diskAfterPowerCut, notAccepted, pin, startSite, type TestSite } from "./site.ts";

const hourMs = 3_600_000;

let site: TestSite;

beforeEach(async () => {
  site = await startSite();
});

/** The hash of the file to which every commit appends. */
async function written(): Promise<string> {
  return createHash("sha256")
    .update(await readFile(`${site.storePath}-wal`))
    .digest("hex");
}

/** Shows what is no token, `perSecond` times a second. */
async function showJunk(seconds: number, perSecond = 100): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    for (let time = 0; time < perSecond; time += 1) expect(await site.agent.present({ token: `junk ${time}` })).toEqual(notAccepted);
    site.timers.advance(1000);
  }
}

/** What each report stands for. */
const countsOf = (events: readonly DeviceEvent[]) => events.map(({ refusals }) => refusals?.count ?? 1);
const outboxLength = () => site.store.outbox.lastSequence();

describe("a stranger who shows codes to a door", () => {
  it("has the first few reported one by one and the rest as one report a minute, of which none is written meanwhile", async () => {
    site.gateway.isUp = false;
    const beganMs = site.timers.now();
    await showJunk(1);
    const before = await written();
    expect(outboxLength()).toBe(singlesMax);
    await showJunk(58);
    expect(outboxLength()).toBe(singlesMax);
    expect(await written()).toBe(before);
    await showJunk(1);
    expect(outboxLength()).toBe(singlesMax + 1);
    expect(await written()).not.toBe(before);
    site.gateway.isUp = true;
    await site.agent.syncNow();
    await site.agent.flushed();
    expect(countsOf(site.gateway.events)).toEqual([1, 1, 1, 1, 1, 6000 - singlesMax]);
    expect(site.gateway.events.at(-1)).toMatchObject({
      type: DeviceEventType.DOOR_REFUSED,
      refusal: "MALFORMED",
      reservationId: "",
      credentialHash: "",
      occurredAt: timestampFromMs(beganMs + 59_000),
      refusals: { firstAt: timestampFromMs(beganMs), lastAt: timestampFromMs(beganMs + 59_000) },
    });
  });

  it("fills the outbox of a site without a network with at most nine reports in a quarter of an hour, whatever kinds of codes are shown", async () => {
    site.gateway.isUp = false;
    const codes = ["", "a.b.c", (await site.gateway.token(Act.DEPOSIT, site.gateway.newReservation())).replace(/.{9}$/, "AAAAAAAAA")];
    for (let passedMs = 0; passedMs < 2 * hourMs; passedMs += firstWindowMs) {
      for (let time = 0; time < 3; time += 1) {
        for (const token of codes) await site.agent.present({ token });
        await site.agent.present({ pin: "short" });
      }
      site.timers.advance(firstWindowMs);
    }
    // Windows of 1, 2, 4 and 8 minutes, then 15.
    const windows = 4 + Math.ceil((2 * hourMs - 15 * firstWindowMs) / longestWindowMs);
    expect(outboxLength()).toBeLessThanOrEqual(windows * (singlesMax + 4));
    const events = site.store.outbox.after(0, 10_000);
    site.timers.advance(longestWindowMs);
    const later = site.store.outbox.after(events.length, 10_000);
    expect(countsOf([...events, ...later]).reduce((sum, count) => sum + count, 0)).toBe((4 * 3 * 2 * hourMs) / firstWindowMs);
    // After a quiet time, a minute again.
    site.timers.advance(2 * longestWindowMs);
    const quiet = outboxLength();
    for (let time = 0; time < 2 * singlesMax; time += 1) await site.agent.present({ token: "" });
    expect(outboxLength()).toBe(quiet + singlesMax);
    site.timers.advance(firstWindowMs);
    expect(outboxLength()).toBe(quiet + singlesMax + 1);
  });

  it("holds up no report of a parcel, and reports stay without a gap", async () => {
    const reservationId = site.gateway.newReservation();
    await showJunk(2);
    await deposit(site, reservationId);
    await showJunk(2);
    await site.agent.flushed();
    const names = site.gateway.eventNames();
    expect(names.slice(singlesMax, singlesMax + 3)).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "PARCEL_DEPOSITED"]);
    expect(site.gateway.events.map(({ sequence }) => Number(sequence))).toEqual(names.map((_, index) => index + 1));
    expect(countsOf(site.gateway.events).at(-1)).toBe(400 - singlesMax);
  });

  it("loses by a power cut only what was counted since the last report", async () => {
    site.gateway.isUp = false;
    await showJunk(70);
    const path = await diskAfterPowerCut(site);
    const after = await startSite({ storePath: path, timers: site.timers });
    await after.agent.present({ token: "junk" });
    await after.agent.flushed();
    expect(countsOf(after.gateway.events)).toEqual([1, 1, 1, 1, 1, 6000 - singlesMax, 1, 1, 1, 1, 1, 1]);
    expect(after.gateway.events.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    // A stop is no power cut.
    await site.agent.present({ token: "junk" });
    const { storePath } = site;
    await site.stop();
    const again = await startSite({ storePath, timers: site.timers });
    await again.agent.flushed();
    expect(countsOf(again.gateway.events).reduce((sum, count) => sum + count, 0)).toBe(7001);
  });
});

it("a presentation that a stop waits for leaves no timer behind", async () => {
  const shown = site.agent.present({ token: "junk" });
  await site.agent.stop();
  expect(await shown).toEqual(notAccepted);
  expect(site.timers.waiting()).toBe(0);
});

it("the same credential that is shown again and again is counted by its hash, and more than a few by their refusal alone", async () => {
  const tokens: string[] = [];
  for (let number = 0; number < 3; number += 1) {
    const token = await site.gateway.token(Act.COLLECT, site.gateway.newReservation());
    tokens.push(token);
  }
  await showJunk(1, singlesMax);
  for (const token of tokens) for (let time = 0; time < 4; time += 1) await site.agent.present({ token });
  for (let number = 0; number < namedMax; number += 1) {
    await site.agent.present({ token: await site.gateway.token(Act.COLLECT, site.gateway.newReservation()) });
  }
  await site.agent.flushed();
  const counted = site.gateway.events.slice(singlesMax);
  expect(countsOf(counted)).toEqual([4, 4, 4, ...Array.from({ length: namedMax - 3 }, () => 1), 3]);
  expect(new Set(counted.slice(0, namedMax).map(({ credentialHash }) => credentialHash)).size).toBe(namedMax);
  expect(counted.slice(0, namedMax).every(({ reservationId, act }) => reservationId !== "" && act === Act.COLLECT)).toBe(true);
  expect(counted.at(-1)).toMatchObject({ credentialHash: "", reservationId: "", act: Act.UNSPECIFIED, refusal: "NOT_DEPOSITED" });
});

it("a wrong PIN is on disk before the answer, so that cutting the power gives no more tries", async () => {
  await showJunk(1);
  for (let wrong = 1; wrong <= 5; wrong += 1) {
    const before = await written();
    expect(await site.agent.present({ pin: `0000000${wrong}` })).toEqual(notAccepted);
    expect(await written()).not.toBe(before);
    const path = await diskAfterPowerCut(site);
    const after = await startSite({ storePath: path, timers: site.timers });
    expect(after.store.lockOut().failures).toBe(wrong);
    await after.stop();
  }
  // While PINs are locked nothing is tried, and nothing is written.
  await site.agent.flushed();
  const locked = await written();
  for (let time = 0; time < 100; time += 1) expect(await site.agent.present({ pin })).toMatchObject({ refusal: "PINS_LOCKED" });
  expect(await written()).toBe(locked);
  await site.agent.flushed();
  const last = site.gateway.events.at(-1);
  expect(last).toMatchObject({ refusal: "LOCKED_OUT", refusals: { count: 100 } });
  expect(timestampMs(last?.occurredAt ?? timestampFromMs(0))).toBe(site.timers.now());
});
