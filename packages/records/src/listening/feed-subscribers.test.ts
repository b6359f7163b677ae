import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { createFeedSubscribers } from "./feed-subscribers.ts";

const feed = { participantId: "par_a", mode: "test" } as const;
const long = 60_000;

describe("subscribers of a feed", () => {
  it("are woken by a greater number of their feed, not by another feed or a lost end", async () => {
    const subscribers = createFeedSubscribers();
    const one = subscribers.add("a", feed);
    subscribers.setLast("a", 7);
    expect(await one.wait(6, long, [])).toBe(true);
    expect(await one.wait(7, 0, [])).toBe(false);
    const waiting = one.wait(7, long, []);
    subscribers.setLast("a", 5);
    subscribers.setLast("b", 9);
    subscribers.setLast("a", 8);
    expect(await waiting).toBe(true);
    subscribers.setLast("a", 6);
    expect(await one.wait(6, 0, [])).toBe(false);
  });

  it("leave nothing behind after the last has closed", async () => {
    const subscribers = createFeedSubscribers();
    const [one, other] = [subscribers.add("a", feed), subscribers.add("a", feed)];
    const waiting = one.wait(0, long, []);
    one.close();
    one.close();
    expect(await waiting).toBe(false);
    expect([...subscribers.feeds]).toEqual([["a", feed]]);
    subscribers.setLast("a", 1);
    expect(await other.wait(0, long, [])).toBe(true);
    other.close();
    expect([...subscribers.feeds]).toEqual([]);
    expect(await other.wait(0, long, [])).toBe(false);
  });

  it("stop waiting when a signal aborts, and leave no listener behind however the wait ends", async () => {
    const subscribers = createFeedSubscribers();
    const one = subscribers.add("a", feed);
    const [leaving, stopping] = [new AbortController(), new AbortController()];
    const signals = [leaving.signal, stopping.signal];
    await one.wait(0, 0, signals);
    const woken = one.wait(0, long, signals);
    subscribers.setLast("a", 1);
    await woken;
    expect(signals.map((signal) => getEventListeners(signal, "abort").length)).toEqual([0, 0]);
    const waiting = one.wait(1, long, signals);
    leaving.abort();
    expect(await waiting).toBe(false);
    expect(getEventListeners(stopping.signal, "abort").length).toBe(0);
    expect(await one.wait(1, long, signals)).toBe(false);
  });
});
