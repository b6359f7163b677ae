import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { createRandom, createTempDir, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { populate, type World } from "../testing/world.ts";
import { readEnvelopes } from "../wire/envelope.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import { type Corpus, createCorpus } from "./corpus.ts";
import type { FuzzRequest } from "./fuzz-request.ts";
import { createRequestSource, runTimeouts } from "./request-source.ts";
import { connect } from "./send.ts";

/** Requests of each protocol and version of HTTP. */
const requestsOfEach = roundsHere({ short: 40, ci: 600, long: 6_000 });

const ways: { protocol: WireProtocol; http: 1 | 2 }[] = [
  { protocol: "connect-json", http: 1 },
  { protocol: "connect-json", http: 2 },
  { protocol: "connect", http: 1 },
  { protocol: "connect", http: 2 },
  { protocol: "grpc", http: 2 },
  { protocol: "grpc-web", http: 1 },
  { protocol: "grpc-web", http: 2 },
];

const redis = useRedis();
let withAll: TestNetwork;
let withoutFastReader: TestNetwork;
let stockOnly: TestNetwork;
let world: World;
let corpus: Corpus;

beforeAll(async () => {
  const directory = await createTempDir();
  // Store, secrets and time are shared: when a second gateway gets the same request id, it finds the first one's work.
  const frozenMs = Date.now();
  const callLimits = { ...runTimeouts, callerRefusalsPerSecond: 100_000, failedAuthenticationsMax: 1_000_000 };
  const shared = { redis, dataDir: join(directory.path, "data"), now: () => frozenMs, callLimits };
  withAll = await startTestNetwork(shared);
  withoutFastReader = await startTestNetwork({ ...shared, hasHttp1FastReader: false });
  stockOnly = await startTestNetwork({ ...shared, hasUnaryFastPath: false });
  world = await populate(withAll, async () => {
    await Promise.all([withAll.stop(), withoutFastReader.stop(), stockOnly.stop()]);
    await directory.remove();
  });
  corpus = await createCorpus(world);
});
afterAll(() => world?.stop());

/** Headers that differ between two responses to the same request. */
const varying = new Set(["date", "x-request-id"]);

/** The content of a response, independent of its chunks and compression. */
function contentOf(answer: RawAnswer): object {
  const { status, end, trailers } = answer;
  const headers = Object.entries(answer.headers).filter(([name]) => !varying.has(name));
  return { status, end, headers: headers.toSorted(), trailers: Object.entries(trailers).toSorted(), body: bodyOf(answer) };
}

function bodyOf({ headers, body }: RawAnswer): string {
  if (headers["content-encoding"] === "gzip") return gunzipSync(body).toString("latin1");
  if (!/grpc/.test(headers["content-type"] ?? "")) return body.toString("latin1");
  return readEnvelopes(body)
    .map(({ flags, data }) => `${flags} ${((flags & 1) === 1 ? gunzipSync(data) : data).toString("latin1")}`)
    .join("\n");
}

/**
 * Whether the response depends on timing. If a body is longer than declared, its rest is read as the next, invalid request: Node's server
 * refuses that as soon as it reads it, before the response to a call that waits for the store; http1-fast-reader-fuzz.test.ts covers
 * that case.
 */
function isRace({ dueMs, headers, body, isFramedByHand }: FuzzRequest, answers: readonly RawAnswer[]): boolean {
  if (isFramedByHand && headers.some(([name, value]) => name === "content-length" && Number(value) < body.byteLength)) return true;
  const isShort = headers.some(([name, value]) => name.endsWith("-timeout-ms") && /^\d{1,3}$/.test(value.trim()));
  return dueMs < 1000 || isShort || answers.some(({ end }) => end !== "complete");
}

function areAlike(answers: readonly RawAnswer[]): boolean {
  const [first, ...others] = answers.map(contentOf);
  return others.every((other) => isDeepStrictEqual(other, first));
}

/**
 * How often a request about webhooks is repeated: by then every delivery has been tried, and none is tried again while the clock is frozen.
 */
const webhookRepetitions = 50;

/** Round trips from a gateway to its store, more than any call makes. */
const roundTrips = 10;

/** Waits until work in progress at the gateways has ended: each probe uses the store connection of the calls and queues behind them. */
async function settle(gateways: readonly TestNetwork[]): Promise<void> {
  for (let trip = 0; trip < roundTrips; trip += 1) {
    await Promise.all(gateways.map(async ({ gateway }) => (await fetch(`http://127.0.0.1:${gateway.address.port}/readyz`)).text()));
  }
}

describe("the unary fast path, the HTTP/1.1 fast reader and the stock adapter", () => {
  it.each(ways)("give the same responses to any request over $protocol and HTTP/$http", async ({ protocol, http }) => {
    const random = createRandom(testSeed());
    const next = createRequestSource({ random: random.fork(), corpus, protocol, http });
    // Over HTTP/1.1 the first gateway uses the fast reader, and the second one has Node's server read the requests.
    const gateways = http === 1 ? [withAll, withoutFastReader, stockOnly] : [withAll, stockOnly];
    const connections = gateways.map(({ gateway }) => connect(gateway.address.port, http));
    let compared = 0;
    // Responses that depend on timing are not compared. If there were many of them, more requests follow.
    for (let count = 0; count < requestsOfEach || (compared <= requestsOfEach / 2 && count < 10 * requestsOfEach); count += 1) {
      const request = next();
      // Default terms set at one gateway reach the others after ten seconds, which never pass here; so do the holds that count against a limit of all.
      if (/SetDefaultTerms|SetParticipantLimits/.test(request.path)) continue;
      const sendToAll = async () => {
        const all: RawAnswer[] = [];
        for (const { send } of connections) all.push(await send(request));
        return all;
      };
      let answers = await sendToAll();
      // Events are delivered to the endpoints meanwhile, so a later response may report a delivery that an earlier one could not.
      for (let left = webhookRepetitions; left > 0 && request.path.includes("WebhookService") && !areAlike(answers); left -= 1) {
        await settle(gateways);
        answers = await sendToAll();
      }
      if (isRace(request, answers)) {
        // A call may continue after its caller has left, and the next responses must not depend on its progress.
        await settle(gateways);
        continue;
      }
      compared += 1;
      const what = `${request.what.trim()} (${request.verb} ${request.path.slice(0, 200)}, body ${request.body.toString("base64").slice(0, 400)})`;
      const [first, ...others] = answers.map(contentOf);
      for (const other of others) expect({ what, ...other }).toEqual({ what, ...first });
    }
    for (const { close } of connections) close();
    expect(compared).toBeGreaterThan(requestsOfEach / 2);
  });
});
