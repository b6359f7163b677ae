import { randomUUID } from "node:crypto";
import { EventType, Mode, PartyKind, Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { origin } from "../testing/world.ts";

const redis = useRedis();
let network: TestNetwork;

beforeAll(async () => {
  network = await startTestNetwork({ redis });
});
afterAll(() => network.stop());

/** The events about keys in a participant's feed. */
async function keyEvents({ client }: TestParticipant) {
  const { events } = await client.custody.listEvents({});
  return events
    .filter(({ type }) => type === EventType.KEY_REGISTERED || type === EventType.KEY_REVOKED)
    .map(({ type, keyChange, actor, siteId, participantId, isTest }) => ({
      type,
      keyId: keyChange?.keyId,
      by: [actor?.participantId, keyChange?.byKeyId],
      siteId,
      participantId,
      isTest,
    }));
}

describe("a participant", () => {
  it("hears of each key that is made or revoked for it, and by whom, once", async () => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const { participantId, client } = operator;
    // Its first key made its feeds readable.
    expect(await keyEvents(operator)).toEqual([]);
    const siteId = await network.putSite(operator, makeSite(origin));
    const own = [participantId, operator.signer.keyId];
    const admin = [network.admin.participantId, network.admin.signer.keyId];
    const about = { participantId, isTest: true, siteId: "" };

    const { keyId: agentKey } = await network.agentKey(operator, siteId);
    const { request } = await newRegistration(participantId);
    const { key } = await network.admin.client.participants.registerKey(request);
    await network.admin.client.participants.registerKey(request);
    const { publishableKey } = await client.participants.createPublishableKey({
      requestId: randomUUID(),
      mode: Mode.TEST,
      origins: ["*"],
    });
    const page = publishableKey?.publishableKey ?? "";
    for (const keyId of [key?.keyId ?? "", page]) {
      await client.participants.revokeKey({ requestId: randomUUID(), keyId });
      await client.participants.revokeKey({ requestId: randomUUID(), keyId });
    }
    expect(await keyEvents(operator)).toEqual([
      { ...about, type: EventType.KEY_REGISTERED, keyId: agentKey, by: own, siteId },
      { ...about, type: EventType.KEY_REGISTERED, keyId: key?.keyId, by: admin },
      { ...about, type: EventType.KEY_REGISTERED, keyId: page, by: own },
      { ...about, type: EventType.KEY_REVOKED, keyId: key?.keyId, by: own },
      { ...about, type: EventType.KEY_REVOKED, keyId: page, by: own },
    ]);
  });

  it("hears of a live key in the live network, and no other participant hears of it", async () => {
    const [courier, stranger] = [await network.join("Courier", [Role.COURIER]), await network.join("Stranger", [Role.COURIER])];
    const live = await network.withMode(courier, Mode.LIVE);
    expect(await keyEvents(courier)).toEqual([]);
    const [event] = await keyEvents(live);
    expect(event).toMatchObject({ type: EventType.KEY_REGISTERED, keyId: live.signer.keyId, isTest: false });
    expect((await stranger.client.custody.listEvents({})).events).toEqual([]);
  });

  it("hears of it without a site in the network, by long poll", async () => {
    const courier = await network.join("Courier", [Role.COURIER]);
    const { nextCursor } = await courier.client.custody.listEvents({});
    const polling = courier.client.custody.listEvents({ cursor: nextCursor, wait: { seconds: 20n } });
    await courier.client.participants.registerKey((await newRegistration(courier.participantId)).request);
    const { events } = await polling;
    expect(events).toMatchObject([
      { type: EventType.KEY_REGISTERED, feedNumber: 1n, reservationId: "", actor: { kind: PartyKind.PARTICIPANT } },
    ]);
  });
});
