import { randomUUID } from "node:crypto";
import { reasonOf } from "@petak/client/node";
import { Mode, Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nowhereUrl } from "../testing/good-requests.ts";
import { origin } from "../testing/world.ts";

const redis = useRedis();
let network: TestNetwork;
/** The administrator with a test key. */
let testAdmin: TestParticipant;
let courier: TestParticipant;

beforeAll(async () => {
  network = await startTestNetwork({ redis });
  testAdmin = await network.withMode(network.admin, Mode.TEST);
  courier = await network.join("Courier", [Role.COURIER]);
});
afterAll(() => network.stop());

const reason = (call: Promise<unknown>) => call.then(() => undefined, reasonOf);
const requestId = () => randomUUID();

describe("a test key of an administrator", () => {
  it("makes no participant, with whatever role", async () => {
    const { createParticipant } = testAdmin.client.participants;
    for (const role of [Role.ADMIN, Role.OPERATOR, Role.COURIER, Role.MERCHANT]) {
      expect(await reason(createParticipant({ requestId: requestId(), displayName: "x", roles: [role] }))).toBe("MODE_MISMATCH");
    }
  });

  it("registers no live key, and no key of an administrator, its own included", async () => {
    const { registerKey } = testAdmin.client.participants;
    const registrations = [
      newRegistration(courier.participantId, { mode: Mode.LIVE }),
      newRegistration(network.admin.participantId, { mode: Mode.LIVE }),
      newRegistration(network.admin.participantId, { mode: Mode.TEST }),
    ];
    for (const { request } of await Promise.all(registrations)) expect(await reason(registerKey(request))).toBe("MODE_MISMATCH");
    const { request } = await newRegistration(network.admin.participantId);
    expect(await reason(registerKey({ ...request, participantId: "" }))).toBe("MODE_MISMATCH");
  });

  it("makes no live publishable key, and revokes no live key", async () => {
    const { createPublishableKey, revokeKey } = testAdmin.client.participants;
    const live = { mode: Mode.LIVE, origins: ["https://shop.example"], participantId: courier.participantId };
    expect(await reason(createPublishableKey({ requestId: requestId(), ...live }))).toBe("MODE_MISMATCH");
    expect(await reason(revokeKey({ requestId: requestId(), keyId: network.admin.signer.keyId }))).toBe("MODE_MISMATCH");
  });

  it("still registers and revokes test keys of others", async () => {
    const { registerKey, revokeKey } = testAdmin.client.participants;
    const { key } = await registerKey((await newRegistration(courier.participantId)).request);
    expect(await reason(revokeKey({ requestId: requestId(), keyId: key?.keyId ?? "" }))).toBeUndefined();
  });
});

describe("a test key of an operator", () => {
  it("makes no live site, and its endpoints hear nothing of the live network", async () => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const live = makeSite({ ...origin, isTest: false });
    const { results } = await operator.client.directory.upsertSites({ requestId: requestId(), sites: [live] }).catch((error: unknown) => {
      expect(reasonOf(error)).toBe("MODE_MISMATCH");
      return { results: [] };
    });
    expect(results).toEqual([]);
    const { endpoint } = await operator.client.webhooks.createEndpoint({ requestId: requestId(), url: nowhereUrl });
    expect(endpoint?.endpointId).toMatch(/^whe_test_/);
    const inLive = await network.withMode(operator, Mode.LIVE);
    expect((await inLive.client.webhooks.listEndpoints({})).endpoints).toEqual([]);
  });
});
