import { randomUUID } from "node:crypto";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { createMetrics } from "@petak/gateway";
import { Role } from "@petak/protocol";
import { createRecords } from "@petak/records";
import { makeSite, tempDir, testStoreCode, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

it("a gateway whose archive is missing says so and continues to serve, and archives again when it is back", async () => {
  const directory = join(await tempDir(), "archive");
  const metrics = createMetrics({ processMetrics: false });
  const network = await startTestNetwork({
    redis,
    metrics,
    expectsErrors: true,
    archive: { directory, retentionMs: 25 * 3_600_000, intervalMs: 10 },
  });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const courier = await network.join("Courier", [Role.COURIER]);
    const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
    const ready = async () => {
      const answer = await fetch(`${network.baseUrl}/readyz`);
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    const failures = async () => (await metrics.archiveFailures.get()).values[0]?.value ?? 0;
    const { archive } = createRecords({ redis: redis.client, prefix: network.shared.keyPrefix, storeCode: testStoreCode });
    // Until then, another directory would be accepted as the archive.
    await expect.poll(() => archive.identity()).toBeDefined();
    await expect.poll(ready).toMatchObject({ status: "ready", archive: "ok" });
    expect(await failures()).toBe(0);

    await rename(directory, `${directory}-elsewhere`);
    await expect.poll(ready).toMatchObject({ status: "ready", archive: "failing" });
    expect(await failures()).toBeGreaterThan(0);
    expect(network.log().map(({ msg }) => msg)).toContain("archiving failed; nothing was deleted from the store");
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    expect((await courier.client.reservations.getReservation({ reservationId: reservation?.reservationId ?? "" })).reservation).toEqual(
      reservation,
    );

    await rename(`${directory}-elsewhere`, directory);
    await expect.poll(ready).toMatchObject({ status: "ready", archive: "ok" });
  } finally {
    await network.stop();
  }
});
