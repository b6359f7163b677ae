import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import { Act, Role } from "@petak/protocol";
import { createTempDir, makeSite, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, expect, test } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

let network: TestNetwork;
let courier: TestParticipant;
let siteId: string;
let keyPath: string;

beforeAll(async () => {
  network = await startTestNetwork({ redis });
  courier = await network.join("Courier", [Role.COURIER]);
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "1", classes: [["M", 400, 200, 500, 20_000, 20]] });
  siteId = await network.putSite(operator, site);
  const directory = await createTempDir();
  keyPath = join(directory.path, "courier.json");
  await writeKeyFile(keyPath, keyFileOf(courier));
  return async () => {
    await network.stop();
    await directory.remove();
  };
});

let reservationIds: string[];

/** Two confirmed reservations. */
beforeEach(async () => {
  const { reservations } = courier.client;
  reservationIds = [];
  for (let count = 0; count < 2; count++) {
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await reservations.confirm({ requestId: randomUUID(), reservationId });
    reservationIds.push(reservationId);
  }
});

async function listed(subject: string): Promise<{ text: string; json: Record<string, unknown> }> {
  const run = async (...more: string[]) => {
    const { exitCode, stdout, stderr } = await runPetak([
      "--url",
      network.baseUrl,
      "--key",
      keyPath,
      ...more,
      "credentials",
      "list",
      subject,
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    return stdout;
  };
  const [text, json] = await Promise.all([run(), run("--json")]);
  return { text, json: JSON.parse(json) as Record<string, unknown> };
}

const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

test("petak credentials list shows a reservation's revoked PIN together with access tokens", async () => {
  const [reservationId = ""] = reservationIds;
  const { reservations } = courier.client;
  const subject = { case: "reservationId" as const, value: reservationId };
  const { credentialHash } = await reservations.issueCredential({
    requestId: randomUUID(),
    act: Act.COLLECT,
    reservationId,
    withPin: true,
  });
  expect((await listed(reservationId)).text).toBe("None was delegated or revoked.\n");

  await reservations.revokeCredential({ requestId: randomUUID(), subject, pin: true });
  const pinAlone = await listed(reservationId);
  expect(pinAlone.text).toMatch(/^HASH +CREDENTIAL +UNTIL +REVOKED +MADE OF\n +PIN +\d{4}-\S+Z *\n$/);
  expect(pinAlone.json).toEqual({ reservationId, revokedPins: [{ revokedAt: aTime }] });

  await reservations.revokeCredential({ requestId: randomUUID(), subject, credentialHash });
  const both = await listed(reservationId);
  expect(both.text).toMatch(new RegExp(`\n${credentialHash} +issued `));
  expect(both.text).toMatch(/\n +PIN +\d{4}-/);
  expect(both.json).toEqual({
    reservationId,
    revokedCredentials: [{ credentialHash, revokedAt: expect.any(String) }],
    revokedPins: [{ revokedAt: aTime }],
  });
});

test("petak credentials list shows a bundle's revoked PIN once, and not as the PIN of its parcels", async () => {
  const { reservations } = courier.client;
  const { bundle } = await reservations.putBundle({ requestId: randomUUID(), reservationIds });
  const bundleId = bundle?.bundleId ?? "";
  await reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true });
  await reservations.revokeCredential({ requestId: randomUUID(), subject: { case: "bundleId", value: bundleId }, pin: true });
  expect((await listed(bundleId)).json).toEqual({ bundleId, revokedPins: [{ revokedAt: aTime }] });
  expect((await listed(reservationIds[0] ?? "")).json).toEqual({ reservationId: reservationIds[0], revokedPins: [] });
});
