import { randomUUID } from "node:crypto";
import { CancellationReason, Mode, Role, reasonOf } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const links = { websiteUrl: "https://rimba.example", supportUrl: "https://rimba.example/help?at=door" };
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Rimba Lockers", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});

const get = async (by: TestParticipant, operatorId = operator.participantId) =>
  (await by.client.directory.getOperator({ operatorId })).operator;
const set = (by: TestParticipant, more: object = {}) =>
  by.client.participants.setOperatorLinks({ requestId: randomUUID(), links, ...more });

describe("an operator's name", () => {
  it("is in every offer, and in the answers to Reserve and Redirect", async () => {
    await network.putSites(operator, makeSite({ ...origin, ref: "here" }), makeSite({ ...origin, latitude: 1.31, ref: "there" }));
    const { options } = await courier.client.directory.findNearest({ origin, parcel });
    expect(options.map(({ site }) => site?.operatorName)).toEqual(["Rimba Lockers", "Rimba Lockers"]);
    const place = { case: "nearest", value: { origin } } as const;
    const held = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = held.reservation?.reservationId ?? "";
    const reason = CancellationReason.REROUTED;
    const moved = await courier.client.reservations.redirect({ requestId: randomUUID(), reservationId, place, reason });
    expect([held.site?.operatorName, moved.site?.operatorName]).toEqual(["Rimba Lockers", "Rimba Lockers"]);
  });

  it("is shown to every key with the operator's links, also to a publishable one", async () => {
    expect(await get(courier)).toMatchObject({ operatorId: operator.participantId, displayName: "Rimba Lockers" });
    expect((await set(operator)).operator).toMatchObject({ displayName: "Rimba Lockers", links });
    const request = { requestId: randomUUID(), mode: Mode.TEST, origins: ["https://shop.example"] };
    const { publishableKey } = await courier.client.participants.createPublishableKey(request);
    const url = new URL("/petak.v1.DirectoryService/GetOperator", network.baseUrl);
    url.search = String(
      new URLSearchParams({ encoding: "json", connect: "v1", message: JSON.stringify({ operatorId: operator.participantId }) }),
    );
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${publishableKey?.publishableKey}`, origin: "https://shop.example" },
    });
    expect(await response.json()).toEqual({
      operator: { operatorId: operator.participantId, displayName: "Rimba Lockers", links },
    });
  });

  it("is not found for participants that operate nothing", async () => {
    for (const operatorId of [courier.participantId, "par_0000000000000000"]) {
      await expect(get(courier, operatorId)).rejects.toSatisfy((error) => reasonOf(error) === "PARTICIPANT_NOT_FOUND");
    }
    const forCourier = { operatorId: courier.participantId };
    await expect(set(network.admin, forCourier)).rejects.toSatisfy((error) => reasonOf(error) === "PARTICIPANT_NOT_FOUND");
  });
});

const notLinks = [
  "http://rimba.example",
  "https://user@rimba.example",
  "https://user:word@rimba.example/",
  "javascript:alert(1)",
  "https://",
  "https://rimba.example/\u202Eelpmaxe",
  "https://rimba.example\\@evil.example",
  `https://rimba.example/${"x".repeat(500)}`,
];

describe("an operator's links", () => {
  it("that a test key has set are not seen by live keys, and an administrator may set them", async () => {
    await set(operator);
    const live = await network.join("Live courier", [Role.COURIER], Mode.LIVE);
    expect((await get(live))?.links).toBeUndefined();
    await set(network.admin, { operatorId: operator.participantId, links: { websiteUrl: "https://other.example" } });
    // The administrator's key is a live one.
    expect((await get(live))?.links).toMatchObject({ websiteUrl: "https://other.example", supportUrl: "" });
    expect((await get(courier))?.links).toMatchObject(links);
  });

  it("are https URLs without credentials", async () => {
    for (const websiteUrl of notLinks) {
      await expect(set(operator, { links: { websiteUrl } }), websiteUrl).rejects.toSatisfy((error) => reasonOf(error) === "INVALID_FIELD");
    }
  });
});
