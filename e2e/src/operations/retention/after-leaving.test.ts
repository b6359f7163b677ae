import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { CorrectionReason, DeviceEventType, EventType, ReservationState } from "@petak/protocol";
import { startTestServer, tempDir } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startSoakNetwork } from "./soak-network.ts";

const prefix = "after";
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

it("changes a bundle after one of its parcels was archived, and corrects events of archived reservations", {
  timeout: 300_000,
}, async () => {
  await using server = await startTestServer();
  const redis = new Redis(server.options);
  const soak = await startSoakNetwork(server.address, redis, { prefix, archiveDir: join(await tempDir(), "archive") });
  try {
    const { courier, operator, siteId } = soak;
    const { reservations } = courier.client;
    const newConfirmed = async () => {
      const place = { case: "siteId", value: siteId } as const;
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
      const { reservationId = "" } = reservation ?? {};
      await reservations.confirm({ requestId: randomUUID(), reservationId });
      return reservationId;
    };
    const [gone, staying] = [await newConfirmed(), await newConfirmed()];
    const { bundle } = await reservations.putBundle({ requestId: randomUUID(), reservationIds: [gone, staying] });
    const bundleId = bundle?.bundleId ?? "";
    await soak.report(gone, DeviceEventType.PARCEL_DEPOSITED);
    await soak.report(staying, DeviceEventType.PARCEL_DEPOSITED);
    await soak.report(gone, DeviceEventType.PARCEL_COLLECTED);
    for (let day = 0; day < 4; day++) await soak.passDay();
    const region = siteId.slice("site_".length, "site_".length + 6);
    const isHere = (id: string) => redis.exists(`${prefix}:{${region}}:res:${id.split("_")[2]}`);
    expect([await isHere(gone), await isHere(staying)]).toEqual([0, 1]);

    const joining = await newConfirmed();
    const put = await reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds: [gone, staying, joining] });
    expect(put.bundle?.reservationIds).toEqual([gone, staying, joining]);
    expect((await reservations.getBundle({ bundleId })).reservations.map(({ state }) => state)).toEqual([
      ReservationState.COLLECTED,
      ReservationState.DEPOSITED,
      ReservationState.CONFIRMED,
    ]);
    await reservations.revokeCredential({ requestId: randomUUID(), subject: { case: "bundleId", value: bundleId }, pin: true });

    const before = await courier.client.custody.getCustodyChain({ reservationId: gone });
    const wrong = before.events.at(-1)?.eventId ?? "";
    const correction = { requestId: randomUUID(), reservationId: gone, eventIds: [wrong], reason: CorrectionReason.WRONG_TIME };
    const first = await operator.client.custody.correctEvents(correction);
    expect(await operator.client.custody.correctEvents(correction)).toEqual(first);
    const after = await courier.client.custody.getCustodyChain({ reservationId: gone });
    expect(after.events.map(({ eventId }) => eventId)).toEqual([...before.events.map(({ eventId }) => eventId), first.event?.eventId]);
    expect(after.receipts).toEqual(before.receipts);
    expect(first.event?.type).toBe(EventType.EVENTS_CORRECTED);
    for (let day = 0; day < 4; day++) await soak.passDay();
    expect(await isHere(gone)).toBe(0);
    const { reservation, events, receipts } = await courier.client.custody.getCustodyChain({ reservationId: gone });
    expect({ reservation, events, receipts }).toEqual({ reservation: after.reservation, events: after.events, receipts: after.receipts });
    expect(
      await operator.client.custody.correctEvents({ ...correction, requestId: randomUUID(), eventIds: [first.event?.eventId ?? ""] }),
    ).toBeDefined();
  } finally {
    await soak.stop();
    redis.disconnect();
  }
});
