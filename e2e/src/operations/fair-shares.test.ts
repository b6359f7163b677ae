import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { ConnectError } from "@connectrpc/connect";
import { fromConnectError, LimitKind, Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, it } from "vitest";
import { untilInFlight } from "../testing/side-network.ts";

const redis = useRedis();
const place = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const wait = { seconds: 20n, nanos: 0 };

/** Begins a call whose body does not end, so that it stays in progress. */
function beginCall(baseUrl: string, authorization: string): Socket {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  const head = [
    "POST /petak.v1.CustodyService/ListEvents HTTP/1.1",
    "Host: a",
    `Authorization: ${authorization}`,
    "Content-Type: application/json",
  ];
  socket.write(`${[...head, "Content-Length: 100"].join("\r\n")}\r\n\r\n{`);
  return socket;
}

it("a courier that takes all the calls it can leaves others theirs, and is told its share", async () => {
  const network = await startTestNetwork({ redis, callLimits: { maxConcurrentCalls: 12 } });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const [hostile, other] = [
      await network.join("Hostile", [Role.COURIER], undefined, { retry: false }),
      await network.join("Other", [Role.COURIER], undefined, { retry: false }),
    ];
    await network.putSite(operator, makeSite({ ...place, ref: "site", classes: [["M", 400, 200, 500, 20_000, 10]] }));
    // Calls count for their participants once their tokens are known, and until then for the address that all have in common.
    for (const { client } of [hostile, other]) await client.custody.listEvents({});
    const authorization = await hostile.signer.authorization();
    const unfinished = Array.from({ length: 6 }, () => beginCall(network.baseUrl, authorization));
    await untilInFlight(network, "unary", 6);
    const refused = fromConnectError(ConnectError.from(await hostile.client.custody.listEvents({}).catch((error: unknown) => error)));
    expect(refused).toMatchObject({ reason: "RATE_LIMITED", retryAfterMs: 1000, metadata: { kind: "unary", limit: "6" } });
    const reserve = () =>
      other.client.reservations.reserve({ requestId: randomUUID(), place: { case: "nearest", value: { origin: place } }, parcel });
    expect(await Promise.all(Array.from({ length: 3 }, reserve))).toHaveLength(3);
    for (const socket of unfinished) socket.destroy();
  } finally {
    await network.stop();
  }
});

it("a courier's calls do not wait for its own long polls", async () => {
  const network = await startTestNetwork({ redis, callLimits: { callerCallsRunning: 1 } });
  try {
    const courier = await network.join("Courier", [Role.COURIER]);
    const leaving = new AbortController();
    const polls = [1, 2].map(() =>
      courier.client.custody.listEvents({ fromNow: true, wait }, { signal: leaving.signal }).catch(() => undefined),
    );
    await untilInFlight(network, "unary", 2);
    expect((await courier.client.reservations.listReservations({})).reservations).toEqual([]);
    leaving.abort();
    await Promise.all(polls);
  } finally {
    await network.stop();
  }
});

it("a courier has one share of all gateways of a store, and its guaranteed part at each", async () => {
  const callLimits = { callerCallsMax: 10, callerCallsGuaranteed: 2 };
  const network = await startTestNetwork({ redis, callLimits });
  const twin = await startTestNetwork({ ...network.shared, redis: { address: redis.address }, callLimits });
  try {
    const courier = await network.join("Courier", [Role.COURIER]);
    const leaving = new AbortController();
    // Again and again, since on a busy machine gateways may hear of each other later than a call waits at most.
    const poll = async ({ client }: Pick<typeof courier, "client">) => {
      while (!leaving.signal.aborted)
        await client.custody.listEvents({ fromNow: true, wait }, { signal: leaving.signal }).catch(() => undefined);
    };
    await courier.client.custody.listEvents({});
    const waiting = Array.from({ length: 10 }, () => poll(courier));
    await untilInFlight(network, "unary", 10);
    const there = { client: twin.clientFor(courier.signer, { retry: false }) };
    await there.client.custody.listEvents({});
    const guaranteed = [poll(there), poll(there)];
    await untilInFlight(twin, "unary", 2);
    const third = () =>
      there.client.custody.listEvents({}).then(
        () => undefined,
        (error: unknown) => fromConnectError(ConnectError.from(error)),
      );
    await expect.poll(third).toMatchObject({ reason: "RATE_LIMITED", metadata: { limit: "12" } });
    leaving.abort();
    await Promise.all([...waiting, ...guaranteed]);
    await expect.poll(third).toBeUndefined();
    // Streams are shared likewise.
    const ending = new AbortController();
    const open = async ({ client }: Pick<typeof courier, "client">) => {
      const stream = client.custody.watchEvents({ fromNow: true }, { signal: ending.signal })[Symbol.asyncIterator]();
      return await stream.next().then(
        () => "open",
        (error: unknown) => fromConnectError(ConnectError.from(error))?.reason,
      );
    };
    expect(new Set(await Promise.all(Array.from({ length: 16 }, () => open(courier))))).toEqual(new Set(["open"]));
    const openStreams = async () => {
      const { limits } = await there.client.participants.getLimits({});
      return limits.find(({ kind }) => kind === LimitKind.OPEN_STREAMS);
    };
    await expect.poll(openStreams).toMatchObject({ limit: 16n, used: 16n, left: 0n });
    expect([await open(there), await open(there)]).toEqual(["open", "RATE_LIMITED"]);
    ending.abort();
    await expect.poll(openStreams).toMatchObject({ used: 0n });
  } finally {
    await twin.stop();
    await network.stop();
  }
});
