import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { EventSchema } from "@petak/protocol";
import { createTempDir, publishedEvent, useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { connectRedis } from "../connection/connect-redis.ts";
import type { RedisAddress } from "../connection/redis-address.ts";
import { createKeys } from "../keys.ts";
import { createReservationStore } from "../reservations/reservation-store.ts";
import { createEventTail, type EventTail } from "./event-tail.ts";

const redis = useRedis();
const region = "83652b";
const long = 60_000;

interface TailOptions {
  address?: RedisAddress;
  commandTimeoutMs?: number;
  errors?: unknown[];
}

function startTail({ address = redis.address, commandTimeoutMs = 5000, errors = [] }: TailOptions = {}): EventTail {
  const open = () => connectRedis(address, { onError: () => undefined, commandTimeoutMs });
  return createEventTail(open, createKeys(redis.keyPrefix), (error) => errors.push(error));
}

/** Records an event as the scripts do. */
async function recordBytes(bytes: Buffer): Promise<string> {
  const key = createKeys(redis.keyPrefix).events(region);
  const entry = (await redis.client.xadd(key, "*", "event", bytes)) as string;
  await redis.client.spublish(key, publishedEvent(entry, bytes));
  return entry;
}

/** Records an event of a participant at an operator's site. */
async function record(participantId: string, operatorId = "par_operator"): Promise<string> {
  return await recordBytes(Buffer.from(toBinary(EventSchema, create(EventSchema, { participantId, operatorId }))));
}

/** A Unix socket before the server's, which can fall silent without closing anything. */
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
  it("tells those whom an event concerns, and tells others only how far they may pass", async () => {
    const tail = startTail();
    try {
      const [courier, operator] = [tail.subscribe("par_courier"), tail.subscribe("par_operator")];
      const stranger = tail.subscribe("par_stranger");
      await redis.client.sadd(createKeys(redis.keyPrefix).regions(), region);
      // A region that is noticed is news to anyone: what stands in it was seen by nobody.
      await Promise.all([courier, operator, stranger].map((subscription) => subscription.wait(long, [])));
      expect(stranger.take().toRead).toEqual(new Set([region]));
      for (const subscription of [courier, operator]) subscription.take();

      const waiting = [courier, operator].map((subscription) => subscription.wait(long, []));
      const entry = await record("par_courier");
      expect(await Promise.all(waiting)).toEqual([true, true]);
      expect(await stranger.wait(0, [])).toBe(false);
      expect(stranger.take()).toEqual({ toRead: new Set(), toPass: new Map([[region, entry]]) });
    } finally {
      await tail.stop();
    }
  });

  it("goes on after an entry that is no event, and lets everyone look at it", async () => {
    const errors: unknown[] = [];
    const tail = startTail({ errors });
    try {
      const stranger = tail.subscribe("par_stranger");
      await redis.client.sadd(createKeys(redis.keyPrefix).regions(), region);
      await stranger.wait(long, []);
      stranger.take();
      await recordBytes(Buffer.from([0xff]));
      expect(await stranger.wait(long, [])).toBe(true);
      stranger.take();
      await record("par_stranger");
      expect(await stranger.wait(long, [])).toBe(true);
      expect(errors).toEqual([]);
    } finally {
      await tail.stop();
    }
  });

  it.skipIf(redis.isCluster)("notices what its user may not hear published, and recording it is not refused", async () => {
    const keys = createKeys(redis.keyPrefix);
    const username = redis.keyPrefix.replace(":", "");
    await redis.client.acl("SETUSER", username, "on", ">secret", "resetchannels", `~${redis.keyPrefix}*`, "+@all");
    const open = () => new Redis({ ...redis.options, username, password: "secret", lazyConnect: true });
    const writer = open();
    const tail = createEventTail(open, keys, () => undefined, { lookAtAllMs: 100 });
    try {
      const courier = tail.subscribe("par_courier");
      await redis.client.sadd(keys.regions(), region);
      await courier.wait(long, []);
      courier.take();
      const event = create(EventSchema, { participantId: "par_courier" });
      const report = { siteId: `site_${region}_1`, keyId: "key_1", sequence: 1 };
      expect(await createReservationStore(writer, keys).record(region, report, event)).toEqual({ tag: "done" });
      expect(await courier.wait(long, [])).toBe(true);
    } finally {
      writer.disconnect();
      await tail.stop();
      await redis.client.acl("DELUSER", username);
    }
  });

  it.skipIf(redis.isCluster)("makes a new connection where the old one fell silent, and misses nothing of the meantime", async () => {
    const directory = await createTempDir();
    const proxy = await startProxy(join(directory.path, "proxy.sock"));
    const errors: unknown[] = [];
    const tail = startTail({ address: { socketPath: join(directory.path, "proxy.sock") }, commandTimeoutMs: 800, errors });
    try {
      const courier = tail.subscribe("par_courier");
      await redis.client.sadd(createKeys(redis.keyPrefix).regions(), region);
      await courier.wait(long, []);
      courier.take();
      proxy.fallSilent();
      const waiting = courier.wait(long, []);
      await record("par_courier");
      expect(await waiting).toBe(true);
      expect(proxy.connections()).toBe(2);
      expect(errors.some((error) => String(error).includes("timed out"))).toBe(true);
    } finally {
      await tail.stop();
      proxy.stop();
      await directory.remove();
    }
  });
});
