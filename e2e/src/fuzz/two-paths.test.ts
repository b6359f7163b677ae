import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createRandom, createTempDir, testSeed, useRedis } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { populate, type World } from "../errors/world.ts";
import { startTestNetwork, type TestNetwork } from "../test-network.ts";
import { readEnvelopes } from "../wire/envelope.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import { type Corpus, createCorpus } from "./corpus.ts";
import type { FuzzRequest } from "./fuzz-request.ts";
import { createRequestSource, runTimeouts } from "./request-source.ts";
import { connect } from "./send.ts";

/** Requests of each protocol and version of HTTP. */
const requestsOfEach = 600;

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
let lean: TestNetwork;
let adapter: TestNetwork;
let world: World;
let corpus: Corpus;

beforeAll(async () => {
  const directory = await createTempDir();
  // The same records, secrets and instant: what the first has done, the second finds done by the same request id.
  const frozenMs = Date.now();
  const shared = { dataDir: join(directory.path, "data"), now: () => frozenMs, callLimits: runTimeouts };
  lean = await startTestNetwork({ socketPath: redis.options.path }, redis.keyPrefix, shared);
  adapter = await startTestNetwork({ socketPath: redis.options.path }, redis.keyPrefix, { ...shared, hasLeanPath: false });
  world = await populate(lean, async () => {
    await Promise.all([lean.stop(), adapter.stop()]);
    await directory.remove();
  });
  corpus = await createCorpus(world);
});
afterAll(() => world?.stop());

/** Headers that differ between two answers to the same request. */
const passing = new Set(["date", "x-request-id"]);

/** What an answer says, and not how it was cut up or compressed. */
function said(answer: RawAnswer): object {
  const { status, end, trailers } = answer;
  const headers = Object.entries(answer.headers).filter(([name]) => !passing.has(name));
  return { status, end, headers: headers.toSorted(), trailers: Object.entries(trailers).toSorted(), body: bodyOf(answer) };
}

function bodyOf({ headers, body }: RawAnswer): string {
  if (headers["content-encoding"] === "gzip") return gunzipSync(body).toString("latin1");
  if (!/grpc/.test(headers["content-type"] ?? "")) return body.toString("latin1");
  return readEnvelopes(body)
    .map(({ flags, data }) => `${flags} ${((flags & 1) === 1 ? gunzipSync(data) : data).toString("latin1")}`)
    .join("\n");
}

/** Whether the answer depends on how fast it came. */
function isRace({ dueMs }: FuzzRequest, answers: readonly RawAnswer[]): boolean {
  return dueMs < 1000 || answers.some(({ end }) => end !== "complete");
}

describe("the lean path and the adapter's", () => {
  it.each(ways)(
    "give the same answers to anything that comes over $protocol and HTTP/$http",
    { timeout: 120_000 },
    async ({ protocol, http }) => {
      const random = createRandom(testSeed());
      const next = createRequestSource({ random: random.fork(), corpus, protocol, http });
      const [first, second] = [lean, adapter].map(({ gateway }) => connect(gateway.address.port, http)) as [
        ReturnType<typeof connect>,
        ReturnType<typeof connect>,
      ];
      let compared = 0;
      for (let count = 0; count < requestsOfEach; count += 1) {
        const request = next();
        const answers = [await first.send(request), await second.send(request)] as const;
        if (isRace(request, answers)) continue;
        compared += 1;
        const what = `${request.what.trim()} (${request.verb} ${request.path.slice(0, 200)}, body ${request.body.toString("base64").slice(0, 400)})`;
        expect({ what, ...said(answers[1]) }).toEqual({ what, ...said(answers[0]) });
      }
      first.close();
      second.close();
      expect(compared).toBeGreaterThan(requestsOfEach / 2);
    },
  );
});
