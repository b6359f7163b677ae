import { randomUUID } from "node:crypto";
import { parseReservationId, ReservationState, Role } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { inSideNetwork } from "../testing/side-network.ts";

const redis = useRedis();

it("a hold ends in time although another due reservation cannot be read", async () => {
  const clock = createFrozenClock(Date.now());
  await inSideNetwork(redis, { now: clock.now }, async ({ network }) => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const courier = await network.join("Courier", [Role.COURIER]);
    const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
    const hold = async (seconds: bigint): Promise<string> => {
      const { reservation } = await courier.client.reservations.reserve({
        requestId: randomUUID(),
        place: { case: "siteId", value: siteId },
        parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
        holdDuration: { seconds },
      });
      return reservation?.reservationId ?? "";
    };
    const [broken, whole] = [await hold(1n), await hold(2n)];
    const { region, handle } = parseReservationId(broken) ?? { region: "", handle: "" };
    await redis.client.set(createKeys(network.shared.keyPrefix).reservation(region, handle), Buffer.from([1, 0, 0, 0, 0xff]));
    clock.advance(3000);
    const stateOf = async () => (await courier.client.reservations.getReservation({ reservationId: whole })).reservation?.state;
    await expect.poll(stateOf).toBe(ReservationState.EXPIRED);
    expect(network.log().some(({ msg, level }) => msg === "the sweep" && level === 50)).toBe(true);
  });
});
