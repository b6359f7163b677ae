import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { createSubscribers } from "./subscribers.ts";

const region = "83652b";
const long = 60_000;

describe("subscribers", () => {
  it("are woken by what concerns them, and may pass over the rest", async () => {
    const subscribers = createSubscribers();
    const [party, stranger] = [subscribers.add("par_a"), subscribers.add("par_b")];
    const waiting = party.wait(long, []);
    subscribers.tell(region, "5-0", new Set(["par_a", "par_c"]));
    expect(await waiting).toBe(true);
    expect(party.take()).toEqual({ toRead: new Set([region]), toPass: new Map() });
    expect(await stranger.wait(0, [])).toBe(false);
    expect(stranger.take()).toEqual({ toRead: new Set(), toPass: new Map([[region, "5-0"]]) });
    expect([party.take(), stranger.take()]).toEqual(Array(2).fill({ toRead: new Set(), toPass: new Map() }));
  });

  it("read a region in which one of several new events concerns them", () => {
    const subscribers = createSubscribers();
    const party = subscribers.add("par_a");
    subscribers.tell(region, "5-0", new Set(["par_a"]));
    subscribers.tell(region, "6-0", new Set(["par_b"]));
    expect(party.take()).toEqual({ toRead: new Set([region]), toPass: new Map() });
  });

  it("are all woken by what may concern anyone, and by what came before they waited", async () => {
    const subscribers = createSubscribers();
    const party = subscribers.add("par_a");
    subscribers.tell(region, "5-0", "everyone");
    expect(await party.wait(long, [])).toBe(true);
  });

  it("hear nothing of what was told before they came, nor after they left", async () => {
    const subscribers = createSubscribers();
    subscribers.tell(region, "5-0", "everyone");
    const party = subscribers.add("par_a");
    expect(party.take().toPass).toEqual(new Map());
    const waiting = party.wait(long, []);
    party.close();
    party.close();
    expect(await waiting).toBe(false);
    expect(subscribers.size).toBe(0);
  });

  it("stop waiting when a signal aborts, and leave no listener behind however the wait ends", async () => {
    const subscribers = createSubscribers();
    const party = subscribers.add("par_a");
    const [leaving, stopping] = [new AbortController(), new AbortController()];
    const signals = [leaving.signal, stopping.signal];
    await party.wait(0, signals);
    const woken = party.wait(long, signals);
    subscribers.tell(region, "5-0", new Set(["par_a"]));
    await woken;
    expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([0, 0]);
    party.take();
    const waiting = party.wait(long, signals);
    leaving.abort();
    expect(await waiting).toBe(false);
    expect(getEventListeners(stopping.signal, "abort").length).toBe(0);
    expect(await party.wait(long, signals)).toBe(false);
  });
});
