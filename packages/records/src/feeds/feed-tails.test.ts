import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId, type Region } from "@petak/protocol";
import { createKeys, type FeedName } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import type { EventReference } from "./event-reference.ts";
import { type FeedPosition, positionAfter } from "./feed-position.ts";
import { chunkSize, createFeedStore } from "./feed-store.ts";
import { createFeedTails, type EventItem } from "./feed-tails.ts";

const redis = useRedis();
const region: Region = "836520";
const elsewhere: Region = "836521";
const feed: FeedName = { participantId: "par_courier", mode: "test" };

let clock = 1_790_000_000_000;

function items(count: number, of: Region = region): EventItem[] {
  return Array.from({ length: count }, () => {
    clock += 1;
    return { entry: `${clock}-0`, recordedMs: clock, recorded: { event: create(EventSchema, { eventId: newEventId(of) }) } };
  });
}

const idsOf = (some: readonly Pick<EventItem, "recorded">[] | undefined) => some?.map(({ recorded }) => recorded.event.eventId);

/** The feed tails of a gateway that follows one feed. */
function startTails() {
  const appendedLasts: number[] = [];
  const store = createFeedStore(redis.client, createKeys(redis.keyPrefix));
  const ends = createFeedTails({ feeds: store, onAppended: (_, last) => appendedLasts.push(last) });
  const append = (some: readonly EventItem[], of: Region = region) => ends.append(feed, of, undefined, some);
  /** The position of a reader that has read the feed up to a number. */
  const positionAt = async (number: number) => {
    const references: EventReference[] = [];
    while (references.length < number)
      references.push(...(await store.references(feed, references.length + 1, number - references.length)));
    return positionAfter(number, references);
  };
  const after = async (from: number | FeedPosition, count = 1000) => {
    const end = await ends.after(feed, typeof from === "number" ? await positionAt(from) : from, count);
    return end === undefined ? undefined : { ids: idsOf(end.events), last: end.last };
  };
  return { ends, store, appendedLasts, append, positionAt, after, unfollow: ends.follow(feed) };
}

describe("the tail of a followed feed", () => {
  it("contains the events that were appended here after a number, as soon as they are reported", async () => {
    const { append, after, appendedLasts } = startTails();
    const some = items(5);
    await append(some.slice(0, 2));
    await append(some.slice(2));
    expect(appendedLasts).toEqual([2, 5]);
    expect(await after(0)).toEqual({ ids: idsOf(some), last: 5 });
    expect(await after(3)).toEqual({ ids: idsOf(some.slice(3)), last: 5 });
    expect(await after(1, 2)).toEqual({ ids: idsOf(some.slice(1, 3)), last: 5 });
    expect(await after(5)).toBeUndefined();
  });

  it("waits for an append in progress", async () => {
    const { append, after } = startTails();
    const some = items(3);
    const appending = append(some);
    expect(await after(0)).toEqual({ ids: idsOf(some), last: 3 });
    await appending;
  });

  it("contains nothing from before an append of another gateway", async () => {
    const { append, after, store } = startTails();
    await append(items(2));
    await store.append(feed, elsewhere, undefined, items(3, elsewhere));
    const own = items(2);
    await append(own);
    for (const number of [0, 1, 2, 4]) expect(await after(number)).toBeUndefined();
    expect(await after(5)).toEqual({ ids: idsOf(own), last: 7 });
  });

  it("contains each event under its own number if another gateway had appended some of them already", async () => {
    const { append, after, store } = startTails();
    const some = items(6);
    await store.append(feed, region, undefined, some.slice(0, 4));
    await store.append(feed, elsewhere, undefined, items(2, elsewhere));
    await append(some.slice(0, 4));
    expect(await after(0)).toBeUndefined();
    await append(some);
    expect(await after(4)).toBeUndefined();
    expect(await after(6)).toEqual({ ids: idsOf(some.slice(4)), last: 8 });
  });

  it("is not used for a reader that has read other events under its numbers, or without a checksum: a server may have lost the feed's end", async () => {
    const { append, positionAt, after } = startTails();
    const some = items(30);
    await append(some);
    const place = await positionAt(20);
    expect(await after(place)).toEqual({ ids: idsOf(some.slice(20)), last: 30 });
    expect(await after({ number: 20 })).toBeUndefined();
    const other = items(1);
    const references = [...some.slice(0, 18), ...other, ...some.slice(19, 20)].map(({ entry }) => ({ region, entry }));
    expect(await after(positionAfter(20, references))).toBeUndefined();
  });

  it("starts again if the feed differs although it is as long", async () => {
    const { append, positionAt, after, store } = startTails();
    await append(items(2));
    const before = await positionAt(2);
    const keys = createKeys(redis.keyPrefix);
    await Promise.all([keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, 0)].map((key) => redis.client.del(key)));
    await store.append(feed, elsewhere, undefined, items(2, elsewhere));
    const own = items(1);
    await append(own);
    expect(await after(before)).toBeUndefined();
    for (const number of [0, 1]) expect(await after(number)).toBeUndefined();
    expect(await after(2)).toEqual({ ids: idsOf(own), last: 3 });
  });

  it("includes references of the previous chunk in the checksum", async () => {
    const { append, after, store } = startTails();
    const some = items(chunkSize + 3);
    await store.append(feed, region, undefined, some.slice(0, 200));
    await store.append(feed, region, undefined, some.slice(200));
    const own = items(1);
    await append(own);
    expect(await after(chunkSize + 3)).toEqual({ ids: idsOf(own), last: chunkSize + 4 });
  });

  it("is discarded when a server may have lost it", async () => {
    const { ends, append, after } = startTails();
    await append(items(2));
    ends.clear();
    expect(await after(0)).toBeUndefined();
    const own = items(1);
    await append(own);
    expect(await after(2)).toEqual({ ids: idsOf(own), last: 3 });
  });

  it("contains at most one chunk of the feed", async () => {
    const { append, after } = startTails();
    const some = items(chunkSize + 44);
    await append(some.slice(0, 200));
    await append(some.slice(200));
    expect(await after(43)).toBeUndefined();
    expect(await after(44)).toEqual({ ids: idsOf(some.slice(44)), last: chunkSize + 44 });
  });

  it("is discarded when the feed is not followed any more", async () => {
    const { append, after, unfollow, ends } = startTails();
    await append(items(2));
    unfollow();
    ends.follow(feed);
    expect(await after(0)).toBeUndefined();
  });
});
