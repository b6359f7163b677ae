import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { generateKeyPair } from "@petak/client";
import { Act, EventSchema, Mode, parseSiteId, Role, reasonOf, type Terms, termsIdOf } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { makeSite, useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const hourMs = 3_600_000;
const isOver = { interval: 20 };

/** A gateway over a store of its own, with everything that was made there. */
interface Scene {
  network: TestNetwork;
  operator: TestParticipant;
  courier: TestParticipant;
  siteIds: string[];
  reservationIds: string[];
  bundleId: string;
  endpointId: string;
  termsIds: string[];
  /** Every id in the responses, except those of terms. */
  ids: Set<string>;
}

let here: Scene;
let there: Scene;

beforeAll(async () => {
  // Both gateways get the same requests, with the same request ids, references and positions.
  const requestIds = Array.from({ length: 40 }, () => randomUUID());
  [here, there] = await Promise.all([make(await startTestNetwork({ redis }), requestIds), make(await startTestNetwork(), requestIds)]);
});
afterAll(async () => {
  await Promise.all([here?.network.stop(), there?.network.stop()]);
});

const reason = async (call: Promise<unknown>) => reasonOf(await call.catch((error: unknown) => error));

async function make(network: TestNetwork, requestIds: readonly string[]): Promise<Scene> {
  const left = requestIds.values();
  const requestId = () => left.next().value as string;
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const terms = { freeStorage: durationFromMs(hourMs) };
  await operator.client.directory.setDefaultTerms({ requestId: requestId(), terms });
  const sites = Array.from({ length: 20 }, (_, index) =>
    makeSite({ ...origin, longitude: origin.longitude + index / 1000, ref: `ref-${index}`, isTest: true }),
  );
  const { results } = await operator.client.directory.upsertSites({ requestId: requestId(), sites });
  const siteIds = results.map(({ siteId }) => siteId);
  const reservationIds: string[] = [];
  for (let count = 0; count < 3; count++) {
    const place = { case: "siteId", value: siteIds[0] as string } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: requestId(), place, parcel });
    reservationIds.push(reservation?.reservationId ?? "");
  }
  const nearest = { case: "nearest", value: { origin } } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: requestId(), place: nearest, parcel });
  const bundled = reservationIds.slice(0, 2);
  for (const reservationId of bundled) await courier.client.reservations.confirm({ requestId: requestId(), reservationId });
  const { bundle } = await courier.client.reservations.putBundle({ requestId: requestId(), reservationIds: bundled });
  const { endpoint } = await courier.client.webhooks.createEndpoint({ requestId: requestId(), url: "http://127.0.0.1:10009/" });
  const { request } = await newRegistration(operator.participantId, { requestId: requestId() });
  const { key } = await operator.client.participants.registerKey(request);
  const { publishableKey } = await operator.client.participants.createPublishableKey({
    requestId: requestId(),
    mode: Mode.TEST,
    origins: ["https://shop.example"],
  });
  const { events } = await courier.client.custody.listEvents({});
  const { options } = await courier.client.directory.findNearest({ origin, parcel });
  const said = JSON.stringify([
    ...[operator.participantId, courier.participantId, reservation?.reservationId, bundle?.bundleId, endpoint?.endpointId, key?.keyId],
    ...[publishableKey?.publishableKey, ...siteIds, ...reservationIds],
    ...events.map((event) => toJson(EventSchema, event)),
  ]);
  return {
    network,
    operator,
    courier,
    siteIds,
    reservationIds,
    bundleId: bundle?.bundleId ?? "",
    endpointId: endpoint?.endpointId ?? "",
    termsIds: [...new Set(options.map(({ site }) => site?.terms?.termsId ?? ""))],
    ids: new Set(said.match(/\b(?:site|res|bdl|evt|par|key|pk|whe)_[0-9a-z_]+/g)),
  };
}

describe("two gateways over two stores in one region", () => {
  it("have no id in common, and issue each id once", () => {
    const kinds = (scene: Scene) => new Set([...scene.ids].map((id) => id.slice(0, id.indexOf("_"))));
    for (const scene of [here, there]) expect(kinds(scene)).toEqual(new Set(["site", "res", "bdl", "evt", "par", "key", "pk", "whe"]));
    expect(here.ids.size).toBe(there.ids.size);
    expect([...here.ids].filter((id) => there.ids.has(id))).toEqual([]);
    for (const { siteIds, reservationIds } of [here, there]) {
      expect(new Set(siteIds).size).toBe(siteIds.length);
      expect(new Set(reservationIds).size).toBe(reservationIds.length);
    }
  });

  it("number their sites alike, and distinguish them by the codes of their stores", () => {
    const [mine, theirs] = [here, there].map(({ siteIds }) => siteIds.map((siteId) => parseSiteId(siteId)));
    expect(mine?.map((site) => [site?.region, site?.siteNumber])).toEqual(theirs?.map((site) => [site?.region, site?.siteNumber]));
    const codes = [mine, theirs].map((sites) => new Set(sites?.map((site) => site?.storeCode)));
    expect(codes.map(({ size }) => size)).toEqual([1, 1]);
    expect(codes[0]).not.toEqual(codes[1]);
  });

  it("give the same terms the same id, which anybody with the terms can compute, and other terms another id", async () => {
    expect(here.termsIds).toEqual(there.termsIds);
    const { options } = await here.courier.client.directory.findNearest({ origin, parcel });
    const terms = options[0]?.site?.terms as Terms;
    expect(terms.termsId).toMatch(/^terms_[0-9a-hjkmnp-tv-z]{16}$/);
    expect(await termsIdOf(terms)).toBe(terms.termsId);
    const [siteId = ""] = here.siteIds;
    const sites = [makeSite({ ...origin, ref: "ref-0", isTest: true }, { terms: { freeStorage: durationFromMs(2 * hourMs) } })];
    await here.operator.client.directory.upsertSites({ requestId: randomUUID(), sites });
    const others = (await here.courier.client.directory.getSite({ siteId })).terms as Terms;
    expect(others.termsId).not.toBe(terms.termsId);
    expect(await termsIdOf(others)).toBe(others.termsId);
    const { reservation } = await here.courier.client.reservations.getReservation({ reservationId: here.reservationIds[0] ?? "" });
    expect(reservation?.termsId).toBe(terms.termsId);
  });

  it("treat an id of the other store as unknown, and never as their own with the same number", async () => {
    const { operator, courier } = here;
    const { directory, reservations, participants } = operator.client;
    const [siteId = ""] = there.siteIds;
    const [reservationId = ""] = there.reservationIds;
    const requestId = randomUUID;
    const { publicKey } = await generateKeyPair();
    const place = { case: "siteId", value: siteId } as const;
    const service = { act: Act.SERVICE, siteId, holderPublicKey: publicKey };
    const sizeClasses = [{ sizeClassId: "M", free: 4 }];
    const report = { sites: [{ siteId, observedAt: timestampFromMs(Date.now()), ttl: durationFromMs(60_000), sizeClasses }] };
    expect(await reason(directory.getSite({ siteId }))).toBe("SITE_NOT_FOUND");
    expect(await reason(directory.getAvailability({ siteIds: [here.siteIds[0] ?? "", siteId] }))).toBe("SITE_NOT_FOUND");
    expect(await reason(directory.retireSites({ requestId: requestId(), siteIds: [siteId] }))).toBe("SITE_NOT_FOUND");
    expect(await reason(directory.reportCapacity({ requestId: requestId(), ...report }))).toBe("SITE_NOT_FOUND");
    expect(await reason(courier.client.reservations.reserve({ requestId: requestId(), place, parcel }))).toBe("SITE_NOT_FOUND");
    expect(await reason(reservations.issueCredential({ requestId: requestId(), ...service }))).toBe("SITE_NOT_FOUND");
    expect(await reason(participants.registerKey({ requestId: requestId(), publicKey, mode: Mode.TEST, siteId }))).toBe("SITE_NOT_FOUND");
    expect(await reason(courier.client.reservations.getReservation({ reservationId }))).toBe("RESERVATION_NOT_FOUND");
    expect(await reason(courier.client.reservations.getBundle({ bundleId: there.bundleId }))).toBe("BUNDLE_NOT_FOUND");
    expect(await reason(courier.client.webhooks.getEndpoint({ endpointId: there.endpointId }))).toBe("WEBHOOK_ENDPOINT_NOT_FOUND");
    expect((await courier.client.reservations.listReservations({ siteId })).reservations).toEqual([]);
    expect((await courier.client.reservations.listReservations({ siteId: here.siteIds[0] ?? "" })).reservations.length).toBeGreaterThan(0);
  });
});

describe("a gateway whose Redis comes back", () => {
  it("without the store code writes it back, and with another store code stops serving", async () => {
    const network = await startTestNetwork({ expectsErrors: true });
    const { redis: address, keyPrefix } = network.shared;
    const tool = new Redis((address as { socketPath: string }).socketPath);
    try {
      const operator = await network.join("Operator", [Role.OPERATOR]);
      const sites = [makeSite({ ...origin, ref: "one", isTest: true })];
      const { results } = await operator.client.directory.upsertSites({ requestId: randomUUID(), sites });
      const siteId = results[0]?.siteId ?? "";
      const key = createKeys(keyPrefix).storeCode();
      const cutOff = () => tool.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

      await tool.del(key);
      await cutOff();
      await expect.poll(() => tool.get(key), isOver).toBe(parseSiteId(siteId)?.storeCode);
      await expect.poll(() => reason(operator.client.directory.getSite({ siteId })), isOver).toBeUndefined();

      await tool.set(key, "0x2mdk3v9c");
      await cutOff();
      await expect.poll(() => network.lines.some((line) => line.includes("its store code is 0x2mdk3v9c")), isOver).toBe(true);
      expect(await reason(operator.client.directory.getSite({ siteId }))).toBe("STORE_UNAVAILABLE");
      expect(await reason(operator.client.directory.findNearest({ origin, parcel }))).toBe("STORE_UNAVAILABLE");
      expect((await fetch(`${network.baseUrl}/readyz`)).status).toBe(503);
    } finally {
      tool.disconnect();
      await network.stop();
    }
  });
});
