import { randomUUID } from "node:crypto";
import { keepSites } from "@petak/client";
import { Mode, Role, SiteLifecycle } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, expect, it } from "vitest";

const redis = useRedis();
const place = { latitude: 1.3, longitude: 103.8 };
let network: TestNetwork;
let operator: TestParticipant;
let merchant: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Rimba Lockers", [Role.OPERATOR]);
  merchant = await network.join("Merchant", [Role.MERCHANT]);
  return () => network.stop();
});

interface Page {
  sites?: { siteId: string; lifecycle: string }[];
  tombstones?: { siteId: string; operatorSiteRef: string }[];
  nextCursor: string;
  hasMore?: boolean;
}

it("a checkout platform keeps a copy of the directory by a publishable key", async () => {
  const [a = "", b = ""] = await network.putSites(operator, makeSite({ ...place, ref: "a" }), makeSite({ ...place, ref: "b" }));
  const { publishableKey } = await merchant.client.participants.createPublishableKey({
    ...{ requestId: randomUUID(), mode: Mode.TEST, origins: ["https://shop.example"] },
  });
  const read = async (request: object): Promise<Page> => {
    const url = new URL("/petak.v1.DirectoryService/ListSites", network.baseUrl);
    url.search = String(new URLSearchParams({ encoding: "json", connect: "v1", message: JSON.stringify(request) }));
    const headers = { authorization: `Bearer ${publishableKey?.publishableKey}`, origin: "https://shop.example" };
    return (await (await fetch(url, { headers })).json()) as Page;
  };
  const first = await read({ pageSize: 1 });
  const second = await read({ cursor: first.nextCursor });
  expect([first, second].map(({ sites, hasMore }) => [sites?.length, hasMore])).toEqual([
    [1, true],
    [1, true],
  ]);
  expect([first, second].flatMap(({ sites = [] }) => sites.map(({ siteId }) => siteId)).sort()).toEqual([a, b].sort());
  const rest = await read({ cursor: second.nextCursor });
  expect([rest.sites, rest.tombstones, rest.hasMore]).toEqual([undefined, undefined, undefined]);
  const paused = { ...makeSite({ ...place, ref: "a" }), lifecycle: SiteLifecycle.MAINTENANCE };
  await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [paused] });
  await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [b] });
  const changes = await read({ cursor: rest.nextCursor });
  expect(changes).toMatchObject({
    sites: [{ siteId: a, lifecycle: "SITE_LIFECYCLE_MAINTENANCE" }],
    tombstones: [{ siteId: b, operatorSiteRef: "b", operatorId: operator.participantId }],
  });
  expect(changes.hasMore).toBeUndefined();
});

it("a client keeps a copy, goes on with it, and starts anew with a cursor of elsewhere", async () => {
  const { directory } = merchant.client;
  const [a = ""] = await network.putSites(operator, makeSite({ ...place, ref: "a" }));
  const copy = await keepSites(directory);
  expect([...copy.sites.keys()]).toEqual([a]);
  const [b = ""] = await network.putSites(operator, makeSite({ ...place, ref: "b" }));
  await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [a] });
  expect(await keepSites(directory, copy)).toBe(copy);
  expect([...copy.sites]).toEqual([[b, (await directory.getSite({ siteId: b })).site]]);
  expect([...(await keepSites(directory, copy, { countryCodes: ["MY"] })).sites]).toEqual([]);
  copy.cursor = "elsewhere";
  copy.sites.set(a, makeSite({ ...place, ref: "a" }));
  expect([...(await keepSites(directory, copy)).sites.keys()]).toEqual([b]);
});
