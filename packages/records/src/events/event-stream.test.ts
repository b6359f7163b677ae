import { create, toBinary } from "@bufbuild/protobuf";
import { EventSchema, ReservationSchema } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { encodeReservation } from "../encoding/reservation-record.ts";
import { testIds, testSiteIds } from "../testing/test-ids.ts";
import { chainMax, createEventStream } from "./event-stream.ts";

const redis = useRedis();
const region = "83652b";
const handle = "0123456789abcdef";
const bytesOf = (eventId: string, participantId = "par_a") =>
  Buffer.from(toBinary(EventSchema, create(EventSchema, { eventId, participantId, operatorId: "par_b" })));

describe("the event stream", () => {
  it("returns events by their entries, in any order and number, without those that do not exist", async () => {
    const keys = createKeys(redis.keyPrefix);
    const entries = Array.from({ length: 450 }, (_, index) => `${1_795_534_815_000 + Math.floor(index / 3)}-${index % 3}`);
    const pipeline = redis.client.pipeline();
    for (const entry of entries) pipeline.xadd(keys.events(region), entry, "event", bytesOf(`evt_${entry}`));
    await pipeline.exec();
    const asked = [...entries.toReversed(), "1-0", "1795534815000-7"];
    const found = await createEventStream(redis.client, keys, testSiteIds).readAt(region, asked);
    expect(found.map(({ entry, event }) => [entry, event.eventId])).toEqual(entries.toReversed().map((entry) => [entry, `evt_${entry}`]));
  });

  it("returns the latest events of a very long chain, in order", async () => {
    const keys = createKeys(redis.keyPrefix);
    const stored = create(ReservationSchema, { revision: 1, participantId: "par_a" });
    const pipeline = redis.client.pipeline();
    pipeline.set(keys.reservation(region, handle), await encodeReservation(stored, testIds(redis.client, keys)));
    for (let number = 1; number <= chainMax + 5; number++) {
      const entry = Buffer.alloc(10);
      entry.writeUIntLE(number, 0, 6);
      pipeline.xadd(keys.events(region), `${number}-0`, "event", bytesOf(`evt_${number}`));
      pipeline.append(keys.reservation(region, handle), entry);
    }
    await pipeline.exec();
    const chain = await createEventStream(redis.client, keys, testSiteIds).chain(`res_${region}_${handle}`);
    expect(chain.map(({ eventId }) => eventId)).toEqual(Array.from({ length: chainMax }, (_, index) => `evt_${index + 6}`));
  });
});
