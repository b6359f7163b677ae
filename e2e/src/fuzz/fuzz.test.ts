import type { Reason } from "@petak/protocol";
import { createRandom, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { type GatewayProcess, type Measurement, type ProcessNetwork, startTestNetwork } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { origin, parcel, populate, type World } from "../testing/world.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import { type Corpus, createCorpus } from "./corpus.ts";
import { createRequestSource, runTimeouts } from "./request-source.ts";
import { run } from "./run.ts";

/** Requests of each protocol: half of them warm up, and the other half must not leave anything behind. */
const requestsOfEach = roundsHere({ short: 60, ci: 20_000, long: 200_000 });

/** Each protocol's HTTP version, share of the requests and number of concurrent requests. Together 32. */
const ways: { protocol: WireProtocol; http: 1 | 2; share: number; concurrency: number }[] = [
  { protocol: "connect-json", http: 1, share: 1, concurrency: 8 },
  { protocol: "connect", http: 1, share: 0.5, concurrency: 4 },
  { protocol: "connect", http: 2, share: 0.5, concurrency: 4 },
  { protocol: "grpc", http: 2, share: 1, concurrency: 8 },
  { protocol: "grpc-web", http: 1, share: 1, concurrency: 8 },
];

/** How much more heap may be in use after the second half than after the first, in bytes. The engine's own use varies by as much. */
const growthMaxBytes = 3 * 1024 * 1024;

/** The reasons that every meaningful run must provoke, besides some that hardly any request can. */
const commonReasons: Reason[] = [
  "INVALID_FIELD",
  "MALFORMED_MESSAGE",
  "MESSAGE_TOO_LARGE",
  "METHOD_NOT_FOUND",
  "ENCODING_NOT_SUPPORTED",
  "DEADLINE_EXCEEDED",
  "CREDENTIALS_MISSING",
  "CREDENTIALS_MALFORMED",
  "TOKEN_ALGORITHM_WRONG",
  "TOKEN_CLAIMS_INVALID",
  "KEY_UNKNOWN",
  "AGENT_KEY_REQUIRED",
  "AGENT_KEY_NOT_ALLOWED",
  "AGENT_SITE_MISMATCH",
  "PUBLISHABLE_KEY_NOT_ALLOWED",
  "ROLE_REQUIRED",
  "SITE_NOT_FOUND",
  "RESERVATION_NOT_FOUND",
  "PARTICIPANT_NOT_FOUND",
  "KEY_NOT_FOUND",
  "CURSOR_INVALID",
];

/** Reasons of which a thousand requests may have none. Longer runs must provoke them too. */
const rareReasons: Reason[] = ["ILLEGAL_STATE", "NO_PLACE_FREE", "SEQUENCE_GAP"];

const wantedReasons = requestsOfEach < 10_000 ? commonReasons : [...commonReasons, ...rareReasons];

const redis = useRedis();
let network: ProcessNetwork;
let gateway: GatewayProcess;
let world: World;
let corpus: Corpus;

beforeAll(async () => {
  network = await startTestNetwork({
    redis,
    ownProcess: true,
    // There are tens of thousands of refusals.
    hasShortStacks: true,
    // They come from one address, which would otherwise be told most of them later.
    callLimits: { ...runTimeouts, callerRefusalsPerSecond: 100_000, failedAuthenticationsMax: 1_000_000 },
    serverLimits: { headersTimeoutMs: 2000, requestTimeoutMs: 4000, sniffTimeoutMs: 2000 },
  });
  ({ gateway } = network);
  world = await populate(network, () => network.stop());
  corpus = await createCorpus(world);
});
afterAll(() => world?.stop());

/** Measures the gateway once all outside connections are closed. */
async function atRest(): Promise<Measurement> {
  network.closeClients();
  const isAtRest = async (): Promise<boolean> => {
    const { inFlight, connections } = await gateway.look();
    return inFlight === 0 && connections === 0;
  };
  await expect.poll(isAtRest, { interval: 100 }).toBe(true);
  return await gateway.measure();
}

/** The kinds of handles that are open in addition to those before. */
function addedHandles(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter((kind) => {
    const index = left.indexOf(kind);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

describe("malformed requests", () => {
  it("are answered with a reason and in time, and leave nothing behind", { timeout: 1_800_000 }, async () => {
    const random = createRandom(testSeed());
    const streams = ways.map(({ protocol, http, share, concurrency }) => ({
      port: gateway.port,
      http,
      concurrency,
      requests: (requestsOfEach * share) / 2,
      next: createRequestSource({ random: random.fork(), corpus, protocol, http }),
    }));
    const seen = new Map<string, number>();
    const atFirst = await atRest();

    async function throwHalf(): Promise<void> {
      const results = await Promise.all(streams.map(run));
      const complaints = results.flatMap((result) => result.complaints);
      const { wrongLines } = gateway.ended() === undefined ? await gateway.look() : { wrongLines: [] };
      expect([...complaints, ...wrongLines].join("\n")).toBe("");
      expect(gateway.ended()).toBeUndefined();
      expect(results.map(({ requests }) => requests)).toEqual(streams.map(({ requests }) => requests));
      for (const [what, count] of results.flatMap((result) => [...result.seen])) seen.set(what, (seen.get(what) ?? 0) + count);
    }

    await throwHalf();
    const before = await atRest();
    await throwHalf();
    const after = await atRest();
    expect(after.heapBytes - before.heapBytes).toBeLessThan(growthMaxBytes);
    // Requests of background tasks come and go, so only handles that stay count.
    const added = async () => addedHandles(atFirst.handles, (await gateway.look()).handles);
    await expect.poll(added, { interval: 100 }).toEqual([]);

    for (let more = 0; more < 40 && wantedReasons.some((reason) => !seen.has(reason)); more += 1) await throwHalf();
    expect([...seen.keys()]).toEqual(expect.arrayContaining(wantedReasons));
    const { options } = await world.courier.client.directory.findNearest({ origin, parcel });
    expect(options.length).toBeGreaterThan(0);
  });
});
