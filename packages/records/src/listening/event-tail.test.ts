import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import { connectRedis, createKeys, type RedisConnection } from "@petak/redis";
import { createTempDir, useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { createReservationStore } from "../reservations/reservation-store.ts";
import { reportHashes } from "../reservations/testing/report-hashes.ts";
import { createSiteStore } from "../sites/site-store.ts";
import { testIds, testSiteIds } from "../testing/test-ids.ts";
import { createEventTail } from "./event-tail.ts";
import { recordGrowth } from "./testing/record-growth.ts";

const redis = useRedis();
const region = "83652b";
const long = 60_000;

interface StartOptions {
  address?: RedisAddress;
  commandTimeoutMs?: number;
  /** Gets the connection of the tail. */
  onConnect?: (connection: RedisConnection) => void;
}

/** A tail that is up to date, and its reports. */
async function startTail({ address = redis.address, commandTimeoutMs = 5000, onConnect = () => undefined }: StartOptions = {}) {
  const { all: grown, onGrown } = recordGrowth();
  const errors: unknown[] = [];
  const tail = createEventTail({
    connect() {
      const connection = connectRedis(address, { onError: () => undefined, commandTimeoutMs });
      onConnect(connection);
      return connection;
    },
    keys: createKeys(redis.keyPrefix),
    siteIds: testSiteIds,
    onGrown,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => tail.stop());
  await redis.client.sadd(createKeys(redis.keyPrefix).regions(), region);
  await tail.catchUp();
  return { tail, grown, errors };
}

/** Records and publishes an event atomically, as the scripts do. */
async function recordBytes(bytes: Buffer): Promise<string> {
  const script = `
    local entry = redis.call('XADD', KEYS[1], '*', 'event', ARGV[1])
    local ms, number = string.match(entry, '^(%d+)-(%d+)$')
    redis.call('SPUBLISH', KEYS[1], struct.pack('<I6I4I4', tonumber(ms), tonumber(number), #ARGV[1]) .. ARGV[1])
    return entry`;
  return (await redis.client.eval(script, 1, createKeys(redis.keyPrefix).events(region), bytes)) as string;
}

/** Records an event of a participant at an operator's site. */
async function record(participantId: string, operatorId = "par_operator"): Promise<string> {
  return await recordBytes(Buffer.from(toBinary(EventSchema, create(EventSchema, { participantId, operatorId }))));
}

/** A Unix socket in front of the server's, which can become unresponsive without closing connections. */
async function startProxy(path: string) {
  const sockets: Socket[] = [];
  const open = (inbound: Socket) => {
    const outbound = connect(redis.options.path);
    inbound.pipe(outbound).pipe(inbound);
    for (const socket of [inbound, outbound]) sockets.push(socket.on("error", () => undefined));
  };
  const server = createServer(open);
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return {
    fallSilent() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    connections: () => sockets.length / 2,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe("the event tail", () => {
  it("reports each event and whom it concerns as it is recorded", async () => {
    const { grown } = await startTail();
    const entries = [await record("par_courier"), await record("par_other", "par_another")];
    // The initial poll may be so late that it reports the first of them too.
    await expect
      .poll(() => grown.filter(({ concerned }) => concerned !== "everyone"))
      .toEqual([
        { region, entry: entries[0], concerned: "par_courier par_operator" },
        { region, entry: entries[1], concerned: "par_another par_other" },
      ]);
  });

  it("has reported every event that was recorded before once it has caught up, however often it is asked", async () => {
    const { tail, grown } = await startTail();
    for (let count = 0; count < 200; count++) {
      const entry = await record("par_courier");
      await tail.catchUp();
      expect(grown.map((told) => told.entry)).toContain(entry);
    }
  });

  it("reports events that were in a region before it was detected, as concerning everyone", async () => {
    const { tail, grown } = await startTail();
    const other = "83652c";
    const keys = createKeys(redis.keyPrefix);
    const entry = (await redis.client.xadd(keys.events(other), "*", "event", "anything")) as string;
    await redis.client.sadd(keys.regions(), other);
    await tail.catchUp();
    expect(grown).toEqual([{ region: other, entry, concerned: "everyone" }]);
  });

  it("reports it even if the first poll of the region is in progress, and polls again if that fails", async () => {
    const [polling, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
    const other = "83652c";
    const keys = createKeys(redis.keyPrefix);
    let connection = undefined as RedisConnection | undefined;
    const { tail, grown } = await startTail({
      onConnect(made) {
        connection = made;
        const xrevrange = made.xrevrange.bind(made) as (...args: unknown[]) => Promise<never>;
        let isFirst = true;
        Object.assign(made, {
          xrevrange(key: string, ...args: unknown[]) {
            if (key !== keys.events(other) || !isFirst) return xrevrange(key, ...args);
            isFirst = false;
            polling.resolve();
            return answer.promise;
          },
        });
      },
    });
    const entry = (await redis.client.xadd(keys.events(other), "*", "event", "anything")) as string;
    await redis.client.sadd(keys.regions(), other);
    await polling.promise;
    const reported = tail.catchUp().then(() => grown.map((each) => each.entry));
    // Replies come in order: catchUp has its own by then.
    await connection?.scard(keys.regions());
    answer.reject(new Error("no answer"));
    expect(await reported).toEqual([entry]);
  });

  it("continues after an entry that is no event, which it reports as concerning everyone", async () => {
    const { grown, errors } = await startTail();
    const entry = await recordBytes(Buffer.from([0xff]));
    await record("par_courier");
    await expect.poll(() => grown.map(({ concerned }) => concerned)).toContain("par_courier par_operator");
    expect(grown).toContainEqual({ region, entry, concerned: "everyone" });
    expect(errors).toEqual([]);
  });

  it("wakes subscribers of a feed when it grows, and later ones immediately", async () => {
    const { tail } = await startTail();
    const feed = { participantId: "par_courier", mode: "test" } as const;
    const key = createKeys(redis.keyPrefix).feedHead(feed);
    const following = tail.subscribe(feed);
    const waiting = following.wait(0, long, []);
    const grow = async (number: number) => {
      await redis.client.hset(key, "n", number);
      const message = Buffer.alloc(6);
      message.writeUIntLE(number, 0, 6);
      await redis.client.spublish(key, message);
    };
    await grow(1);
    expect(await waiting).toBe(true);
    const next = following.wait(1, long, []);
    await grow(2);
    expect(await next).toBe(true);
    expect(await tail.subscribe(feed).wait(1, long, [])).toBe(true);
    expect(await following.wait(2, 1, [])).toBe(false);
  });

  it.skipIf(redis.isCluster)("detects events that its user may not receive, and recording them does not fail", async () => {
    const keys = createKeys(redis.keyPrefix);
    const username = redis.keyPrefix.replace(":", "");
    await redis.client.acl("SETUSER", username, "on", ">secret", "resetchannels", `~${redis.keyPrefix}*`, "+@all");
    const connect = () => new Redis({ ...redis.options, username, password: "secret", lazyConnect: true });
    const writer = connect();
    const { all: grown, onGrown } = recordGrowth();
    const tail = createEventTail({ connect, keys, siteIds: testSiteIds, onGrown, onError: () => undefined, pollAllMs: 100 });
    try {
      await redis.client.sadd(keys.regions(), region);
      await tail.catchUp();
      const event = create(EventSchema, { participantId: "par_courier" });
      const record = async (sequence: number) => {
        const report = { siteId: testSiteIds.format(region, 1), keyId: "key_1", sequence, ...reportHashes(sequence) };
        expect(
          await createReservationStore(writer, keys, testIds(writer, keys), createSiteStore(writer, keys, testSiteIds)).record(
            region,
            report,
            event,
          ),
        ).toEqual({
          tag: "done",
        });
      };
      await record(1);
      await expect.poll(() => grown.length).toBe(1);
      await record(2);
      await tail.catchUp();
      expect(grown.length).toBe(2);
    } finally {
      writer.disconnect();
      await tail.stop();
      await redis.client.acl("DELUSER", username);
    }
  });

  it.skipIf(redis.isCluster)("reports all events if its user may subscribe but others may not publish", async () => {
    const keys = createKeys(redis.keyPrefix);
    const username = redis.keyPrefix.replace(":", "");
    await redis.client.acl("SETUSER", username, "on", ">secret", "allchannels", `~${redis.keyPrefix}*`, "+@all", "-spublish");
    const connect = () => new Redis({ ...redis.options, username, password: "secret", lazyConnect: true });
    const { all: grown, onGrown } = recordGrowth();
    const tail = createEventTail({ connect, keys, siteIds: testSiteIds, onGrown, onError: () => undefined });
    try {
      await redis.client.sadd(keys.regions(), region);
      await tail.catchUp();
      await redis.client.xadd(keys.events(region), "*", "event", "anything");
      await tail.catchUp();
      expect(grown.length).toBe(1);
    } finally {
      await tail.stop();
      await redis.client.acl("DELUSER", username);
    }
  });

  it.skipIf(redis.isCluster)("reconnects if the connection becomes unresponsive, and misses nothing", async () => {
    const directory = await createTempDir();
    const proxy = await startProxy(join(directory.path, "proxy.sock"));
    try {
      const { grown, errors } = await startTail({ address: { socketPath: join(directory.path, "proxy.sock") }, commandTimeoutMs: 800 });
      proxy.fallSilent();
      const entry = await record("par_courier");
      await expect.poll(() => grown).toEqual([{ region, entry, concerned: "everyone" }]);
      expect(proxy.connections()).toBeGreaterThan(1);
      expect(errors.some((error) => String(error).includes("timed out"))).toBe(true);
    } finally {
      proxy.stop();
      await directory.remove();
    }
  });
});
