import { randomUUID } from "node:crypto";
import { createRequestSigner, generateKeyPair } from "@petak/client/node";
import { Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import type { Observation } from "../observe/observation.ts";
import type { City } from "./city.ts";
import type { Courier } from "./courier.ts";
import { readFeeds } from "./feed.ts";

const redis = useRedis();

test("a feed that cannot be read keeps no other from being read, and every event is read once", async () => {
  const network = await startTestNetwork({ redis });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const { client, participantId } = await network.join("Courier", [Role.COURIER]);
  const stranger = createRequestSigner({ participantId, keyId: "key_test_unknown", audience: "nobody", ...(await generateKeyPair()) });
  const couriers: Courier[] = [
    { participantId: "par_stranger", client: network.clientFor(stranger), cursor: "", feedNumber: 0 },
    { participantId, client, cursor: "", feedNumber: 0 },
  ];
  const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
  const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };
  await client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });

  const seen: Observation[] = [];
  const city = {
    observe: (one: Observation) => void seen.push(one),
    nowMs: Date.now,
    doneMs: () => performance.now(),
    patienceMs: (ms: number) => ms,
    contact: { reached() {}, failed() {} },
    signal: new AbortController().signal,
  } as Partial<City> as City;
  const events = [...(await readFeeds(city, couriers)), ...(await readFeeds(city, couriers))];
  expect(events.map(({ feedNumber }) => feedNumber)).toEqual([1n, 2n].slice(0, events.length));
  expect(events.length).toBeGreaterThan(0);
  expect(seen.filter((one) => one.kind === "feed").map((one) => one.participantId)).toEqual([participantId, participantId]);
  expect(seen.filter((one) => one.kind === "event")).toHaveLength(events.length);
  await network.stop();
});
