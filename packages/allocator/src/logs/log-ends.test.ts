import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId, type Region } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { type RedisConnection, serverOf } from "../connection/connect-redis.ts";
import { spanOf } from "../connection/connection-span.ts";
import { createKeys } from "../keys.ts";
import { createLogEnds, type EventItem } from "./log-ends.ts";
import type { LogName } from "./log-reference.ts";
import { chunkSize, createLogStore } from "./log-store.ts";

const redis = useRedis();
const region: Region = "836520";
const elsewhere: Region = "836521";
const log: LogName = { participantId: "par_courier", mode: "test" };

let clock = 1_790_000_000_000;

function items(count: number, of: Region = region): EventItem[] {
  return Array.from({ length: count }, () => {
    clock += 1;
    return { entry: `${clock}-0`, recordedMs: clock, event: create(EventSchema, { eventId: newEventId(of) }) };
  });
}

const idsOf = (some: readonly Pick<EventItem, "event">[] | undefined) => some?.map(({ event }) => event.eventId);

/** The ends of logs in a process that follows one. */
function startEnds(connection: RedisConnection) {
  const keys = createKeys(redis.keyPrefix);
  const footingOf = (name: LogName) => {
    const server = serverOf(connection, keys.logHead(name));
    return server === undefined ? undefined : spanOf(server);
  };
  const told: number[] = [];
  const store = createLogStore(connection, keys);
  const ends = createLogEnds({ logs: store, footingOf, onAppended: (_, last) => told.push(last) });
  const append = (some: readonly EventItem[], of: Region = region) => ends.append(log, of, undefined, some);
  const after = async (number: number, count = 1000, footing = footingOf(log) ?? {}) => {
    const end = await ends.after(log, number, footing, count);
    return end === undefined ? undefined : { ids: idsOf(end.events), last: end.last };
  };
  return { ends, store, footingOf, told, append, after, unfollow: ends.follow(log) };
}

describe("the end of a log that is followed", () => {
  it("has what was appended here after a number, as soon as that is told", async () => {
    const { append, after, told } = startEnds(redis.client);
    const some = items(5);
    await append(some.slice(0, 2));
    await append(some.slice(2));
    expect(told).toEqual([2, 5]);
    expect(await after(0)).toEqual({ ids: idsOf(some), last: 5 });
    expect(await after(3)).toEqual({ ids: idsOf(some.slice(3)), last: 5 });
    expect(await after(1, 2)).toEqual({ ids: idsOf(some.slice(1, 3)), last: 5 });
    expect(await after(5)).toBeUndefined();
  });

  it("is waited for while it is being appended", async () => {
    const { append, after } = startEnds(redis.client);
    const some = items(3);
    const appending = append(some);
    expect(await after(0)).toEqual({ ids: idsOf(some), last: 3 });
    await appending;
  });

  it("has nothing of before what another process appended between", async () => {
    const { append, after, store } = startEnds(redis.client);
    await append(items(2));
    await store.append(log, elsewhere, undefined, items(3, elsewhere));
    const own = items(2);
    await append(own);
    for (const number of [0, 1, 2, 4]) expect(await after(number)).toBeUndefined();
    expect(await after(5)).toEqual({ ids: idsOf(own), last: 7 });
  });

  it("has each event under its own number where others had appended some of them already", async () => {
    const { append, after, store } = startEnds(redis.client);
    const some = items(6);
    await store.append(log, region, undefined, some.slice(0, 4));
    await store.append(log, elsewhere, undefined, items(2, elsewhere));
    await append(some.slice(0, 4));
    expect(await after(0)).toBeUndefined();
    await append(some);
    expect(await after(4)).toBeUndefined();
    expect(await after(6)).toEqual({ ids: idsOf(some.slice(4)), last: 8 });
  });

  it.skipIf(redis.isCluster)(
    "is not relied on by who has read before the connection was lost: the server may have lost what was read",
    async () => {
      const connection = await redis.connect();
      try {
        const { append, after, footingOf } = startEnds(connection);
        await append(items(2));
        const before = footingOf(log);
        const ready = once(connection, "ready");
        connection.disconnect(true);
        await ready;
        const fresh = items(1);
        await append(fresh);
        expect(await after(2, 10, before)).toBeUndefined();
        expect(await after(0)).toBeUndefined();
        expect(await after(2)).toEqual({ ids: idsOf(fresh), last: 3 });
      } finally {
        connection.disconnect();
      }
    },
  );

  it("reaches no further back than a chunk of the log", async () => {
    const { append, after } = startEnds(redis.client);
    const some = items(chunkSize + 44);
    await append(some.slice(0, 200));
    await append(some.slice(200));
    expect(await after(43)).toBeUndefined();
    expect(await after(44)).toEqual({ ids: idsOf(some.slice(44)), last: chunkSize + 44 });
  });

  it("is not kept of a log that nobody follows any more", async () => {
    const { append, after, unfollow, ends } = startEnds(redis.client);
    await append(items(2));
    unfollow();
    ends.follow(log);
    expect(await after(0)).toBeUndefined();
  });
});
