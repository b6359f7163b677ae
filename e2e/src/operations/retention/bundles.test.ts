import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { toJsonString } from "@bufbuild/protobuf";
import { BundleSchema, DeviceEventType, EventType, ReservationState, reasonOf } from "@petak/protocol";
import { startTestServer, tempDir } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../../testing/chains.ts";
import { startSoakNetwork } from "./soak-network.ts";

const prefix = "bundled";
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

it("a bundle can be read while any of its parcels is in the store and for a day more, and its parcels forever", {
  timeout: 300_000,
}, async () => {
  await using server = await startTestServer();
  const redis = new Redis(server.options);
  const soak = await startSoakNetwork(server.address, redis, { prefix, archiveDir: join(await tempDir(), "archive") });
  const { courier, operator, siteId, network } = soak;
  try {
    const { reservations, custody } = courier.client;
    const reserve = async () => {
      const place = { case: "siteId", value: siteId } as const;
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
      const reservationId = reservation?.reservationId ?? "";
      await reservations.confirm({ requestId: randomUUID(), reservationId });
      return reservationId;
    };
    const [first, second] = [await reserve(), await reserve()];
    const putting = { requestId: randomUUID(), reservationIds: [first, second] };
    const { bundle } = await reservations.putBundle(putting);
    const bundleId = bundle?.bundleId ?? "";
    const { accessToken } = await reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true });
    await soak.report(first, DeviceEventType.PARCEL_DEPOSITED);
    await soak.report(second, DeviceEventType.PARCEL_DEPOSITED);
    await soak.report(first, DeviceEventType.PARCEL_COLLECTED);

    const key = `${prefix}:{${bundleId.slice(4, 10)}}:bundle:${bundleId.slice(-16)}`;
    const isInRecords = async (id: string) => (await redis.exists(`${prefix}:{${id.slice(4, 10)}}:res:${id.slice(11)}`)) === 1;
    const pass = async (days: number) => {
      for (let day = 0; day < days; day += 1) await soak.passDay();
    };
    const got = () => reservations.getBundle({ bundleId });
    const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

    // The first parcel is archived; the second is still in its place, so the bundle stays.
    await pass(4);
    expect([await isInRecords(first), await isInRecords(second)]).toEqual([false, true]);
    const between = await got();
    expect(between.reservations.map(({ reservationId, state, bundleId: of }) => [reservationId, state, of])).toEqual([
      [first, ReservationState.COLLECTED, bundleId],
      [second, ReservationState.DEPOSITED, bundleId],
    ]);
    // Changes of the bundle work although one of its parcels is archived.
    await reservations.revokeCredential({
      requestId: randomUUID(),
      subject: { case: "bundleId", value: bundleId },
      credentialHash: "",
      pin: true,
    });
    await reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds: [first, second] });
    await soak.report(second, DeviceEventType.PARCEL_COLLECTED);
    const last = await got();

    // The second parcel is archived too: the bundle stays for as long as a request about it may be repeated, and is then deleted.
    await pass(2);
    while (await isInRecords(second)) await soak.passDay();
    expect(await redis.pttl(key)).toBeLessThanOrEqual(25 * 3_600_000);
    expect(toJsonString(BundleSchema, (await got()).bundle ?? expect.fail("no bundle"))).toBe(
      toJsonString(BundleSchema, last.bundle ?? expect.fail("no bundle")),
    );
    await pass(2);
    expect(await redis.exists(key)).toBe(0);
    const subject = { case: "bundleId", value: bundleId } as const;
    for (const call of [
      got,
      () => reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds: [first] }),
      () => reservations.issueBundleCredential({ requestId: randomUUID(), bundleId }),
      () => reservations.revokeCredential({ requestId: randomUUID(), subject, credentialHash: "", pin: true }),
    ]) {
      expect(await reason(call())).toBe("BUNDLE_NOT_FOUND");
    }
    expect(await reason(reservations.delegateCredential({ requestId: randomUUID(), accessToken }))).not.toBe("accepted");

    // Its parcels can still be read, and name the bundle.
    const issuerKeys = await publishedIssuerKeys(network.baseUrl);
    for (const reservationId of [first, second]) {
      const { reservation } = await reservations.getReservation({ reservationId });
      expect(reservation).toMatchObject({ state: ReservationState.COLLECTED, bundleId });
      const { events } = await expectTrueChain(courier, reservationId, issuerKeys);
      expect(events.filter(({ type }) => type === EventType.RESERVATION_BUNDLED).map((event) => event.bundleId)).toEqual([bundleId]);
    }
    const { events } = await custody.listEvents({ pageSize: 1000 });
    const bundled = events.filter(({ type }) => type === EventType.RESERVATION_BUNDLED);
    expect(bundled.map((event) => [event.reservationId, event.bundleId])).toEqual([
      [first, bundleId],
      [second, bundleId],
    ]);

    // A reservation that returns to the store for a late report returns without the bundle: the operator sees its bundle id, the agent no
    // bundle.
    await soak.report(first, DeviceEventType.DOOR_OPENED);
    await soak.report(first, DeviceEventType.PARCEL_DEPOSITED);
    expect((await operator.client.reservations.getReservation({ reservationId: first })).reservation).toMatchObject({ bundleId });
    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    expect((await agent.agents.sync({ siteId })).bundles).toEqual([]);
    await pass(4);
    expect((await reservations.getReservation({ reservationId: second })).reservation?.bundleId).toBe(bundleId);
  } finally {
    await soak.stop();
    redis.disconnect();
  }
});
