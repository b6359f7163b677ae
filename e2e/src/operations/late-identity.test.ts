import { randomUUID } from "node:crypto";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { Mode, Role } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { beforeAll, expect, it } from "vitest";
import { untilInFlight } from "../testing/side-network.ts";

const redis = useRedis();
const listReservations = "/petak.v1.ReservationService/ListReservations";
let network: TestNetwork;

beforeAll(async () => {
  network = await startTestNetwork({ redis });
  return () => network.stop();
});

it.each([
  ["identity", Buffer.from("{}")],
  ["gzip", gzipSync("{}")],
])("a key that is revoked while a body arrives makes no call any more (%s)", async (encoding, body) => {
  const courier = await network.join("Courier", [Role.COURIER]);
  const successor = await network.withMode(courier, Mode.TEST);
  const authorization = await courier.signer.authorization();
  await courier.client.reservations.listReservations({});
  // Else that call could count as the one that is under way below.
  await expect.poll(async () => (await network.inFlight()).unary).toBe(0);
  const session = connect(network.baseUrl);
  const stream = session.request({
    ":method": "POST",
    ":path": "/petak.v1.ReservationService/ListReservations",
    "content-type": "application/json",
    "content-encoding": encoding,
    authorization,
  });
  stream.write(body.subarray(0, 1));
  await untilInFlight(network, "unary", 1);
  await successor.client.participants.revokeKey({ requestId: randomUUID(), keyId: courier.key.keyId });
  stream.end(body.subarray(1));
  expect(await text(stream)).toContain("KEY_REVOKED");
  session.close();
});

it.each([
  ["of some length", { "content-encoding": "identity" }, Buffer.from("[".repeat(3000))],
  ["that is compressed", { "content-encoding": "gzip" }, gzipSync("[")],
  ["in a query", { ":method": "GET", ":path": `${listReservations}?encoding=json&message=[` }, undefined],
])("a stranger's message %s is not parsed", async (_what, headers, body) => {
  const session = connect(network.baseUrl);
  const stream = session.request({ ":method": "POST", ":path": listReservations, "content-type": "application/json", ...headers });
  stream.end(body);
  expect(await text(stream)).toContain("CREDENTIALS_MISSING");
  session.close();
});
