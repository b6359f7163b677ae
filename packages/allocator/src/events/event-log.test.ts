import { create, toBinary } from "@bufbuild/protobuf";
import { EventSchema, ReservationSchema } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createKeys } from "../keys.ts";
import { encodeReservation } from "../reservations/reservation-record.ts";
import { chainMax, createEventLog, firstEntry } from "./event-log.ts";

const redis = useRedis();
const region = "83652b";
const handle = "0123456789abcdef";
const bytesOf = (eventId: string, participantId = "par_a") =>
  Buffer.from(toBinary(EventSchema, create(EventSchema, { eventId, participantId, operatorId: "par_b" })));

describe("the event log", () => {
  it("says without decoding which ids an event mentions", async () => {
    const keys = createKeys(redis.keyPrefix);
    await redis.client.xadd(keys.events(region), "1-0", "event", bytesOf("evt_1"));
    const [logged] = await createEventLog(redis.client, keys).readAfter(region, firstEntry, 10);
    expect(["par_a", "par_b", "par_c"].map((id) => logged?.mentions(id))).toEqual([true, true, false]);
    expect(logged?.event.eventId).toBe("evt_1");
  });

  it("gives the latest events of a chain that is longer than any parcel's, in order", async () => {
    const keys = createKeys(redis.keyPrefix);
    const pipeline = redis.client.pipeline();
    pipeline.set(keys.reservation(region, handle), encodeReservation(create(ReservationSchema, { revision: 1, participantId: "par_a" })));
    for (let number = 1; number <= chainMax + 5; number++) {
      const entry = Buffer.alloc(10);
      entry.writeUIntLE(number, 0, 6);
      pipeline.xadd(keys.events(region), `${number}-0`, "event", bytesOf(`evt_${number}`));
      pipeline.append(keys.reservation(region, handle), entry);
    }
    await pipeline.exec();
    const chain = await createEventLog(redis.client, keys).chain(`res_${region}_${handle}`);
    expect(chain.map(({ eventId }) => eventId)).toEqual(Array.from({ length: chainMax }, (_, index) => `evt_${index + 6}`));
  });
});
