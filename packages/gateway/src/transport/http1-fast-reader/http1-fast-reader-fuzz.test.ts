import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FindNearestRequestSchema } from "@petak/protocol";
import { createRandom, type Random, roundsHere, testSeed } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { type Conversation, converse } from "../testing/converse.ts";
import { inPieces, mutateRequest, type RequestParts, renderParts } from "../testing/mutate-request.ts";
import { envelope } from "../testing/raw-http.ts";
import { goodRequest, startTestGateway, type TestGateway } from "../testing/test-gateway.ts";

/** The number of conversations with corrupted requests. */
const conversations = roundsHere({ short: 300, ci: 1200 });
/** Conversations at once. */
const concurrency = 24;
/** How long nothing is received at the end of a conversation, in ms; and how long when it is repeated because two differed. */
const quietMs = 60;
const certainMs = 700;

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const json = (limit: number) => toJsonString(FindNearestRequestSchema, create(FindNearestRequestSchema, { ...goodRequest, limit }));
const binary = toBinary(FindNearestRequestSchema, create(FindNearestRequestSchema, goodRequest));
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

function request(path: string, contentType: string, body: string): RequestParts {
  const fields = ["Host: gateway.test", `Content-Type: ${contentType}`, `Content-Length: ${body.length}`];
  return { line: `POST ${path} HTTP/1.1`, fields, body };
}

/** Valid and invalid calls, answered at once and later. */
const sound: RequestParts[] = [
  request("/grpc.health.v1.Health/Check", "application/json", "{}"),
  request("/grpc.health.v1.Health/Check", "application/json", '{"service":"h\xc3\xa9"}'),
  request("/grpc.health.v1.Health/Check", "application/proto", ""),
  request(findNearest, "application/json", json(3)),
  request(findNearest, "application/json", json(14)),
  request(findNearest, "application/json", '{"limit":3}'),
  request(findNearest, "application/json", '{"nothing":3'),
  request(findNearest, "application/proto", latin1(binary)),
  request(findNearest, "application/grpc-web+proto", latin1(envelope(binary))),
  request(findNearest, "application/grpc-web+proto", latin1(envelope(binary, 1))),
  request(findNearest, "application/grpc-web", latin1(envelope(toBinary(FindNearestRequestSchema, create(FindNearestRequestSchema))))),
];

async function startBoth(): Promise<[fast: TestGateway, node: TestGateway]> {
  return [
    await startTestGateway({ hasUnaryFastPath: true }),
    await startTestGateway({ hasUnaryFastPath: true, hasHttp1FastReader: false }),
  ];
}

/** Has the same conversation with both gateways, and expects the same answers, byte for byte. */
async function compare([fast, node]: [TestGateway, TestGateway], pieces: readonly Buffer[]): Promise<void> {
  const both = (ms: number) => Promise.all([converse(fast.port, pieces, ms), converse(node.port, pieces, ms)]);
  let [first, second] = await both(quietMs);
  // A slow moment of the machine looks like the end of an answer.
  if (!isSame(first, second)) [first, second] = await both(certainMs);
  const said = pieces.map((piece) => piece.toString("latin1"));
  if (!isSame(first, second)) expect({ said, ...first }).toEqual({ said, ...second });
}

/**
 * Returns whether two conversations are the same. If requests are followed by something that is not HTTP, Node's server refuses it as soon as it
 * reads it, and closes the connection: how many earlier answers are still sent, and whether the refusal is, depends on how the bytes arrived.
 * `100 Continue` is sent as soon as it is asked for, possibly in the middle of the answer before.
 */
function isSame(...conversations: [Conversation, Conversation]): boolean {
  const [one, other] = conversations.map(({ received, isClosedByServer }) => ({
    received: received.replaceAll("HTTP/1.1 100 Continue\r\n\r\n", ""),
    isClosedByServer,
  })) as [Conversation, Conversation];
  if (one.isClosedByServer !== other.isClosedByServer) return false;
  if (one.received === other.received) return true;
  const [before, otherBefore] = [withoutRefusal(one.received), withoutRefusal(other.received)];
  const [refusal, otherRefusal] = [one.received.slice(before.length), other.received.slice(otherBefore.length)];
  if (refusal === "" && otherRefusal === "") return false;
  if (refusal !== "" && otherRefusal !== "" && refusal !== otherRefusal) return false;
  return before.startsWith(otherBefore) || otherBefore.startsWith(before);
}

/** Returns what was received before the refusal of something that is not HTTP; everything if there is no refusal. */
function withoutRefusal(received: string): string {
  const at = received.lastIndexOf("HTTP/1.1 4");
  return at >= 0 && /^HTTP\/1\.1 4\d\d [ \w]+\r\nConnection: close\r\nContent-Type/.test(received.slice(at))
    ? received.slice(0, at)
    : received;
}

async function compareAll(gateways: [TestGateway, TestGateway], said: readonly (readonly Buffer[])[]): Promise<void> {
  const rest = [...said];
  const work = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await compare(gateways, next);
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

describe("a gateway gives the same answers with and without the fast reader,", () => {
  test("to valid requests, also repeated on one connection", async () => {
    const gateways = await startBoth();
    await compareAll(
      gateways,
      sound.flatMap((parts) => [[renderParts(parts)], [renderParts(parts), renderParts(parts), renderParts(parts)]]),
    );
    expect(gateways[0].fastReaderCalls()).toBeGreaterThan(sound.length * 2);
    expect(gateways[1].fastReaderCalls()).toBe(0);
  });

  test("to a request in two pieces, wherever it is cut", async () => {
    const gateways = await startBoth();
    const bytes = renderParts(sound[3] as RequestParts);
    const cuts = Array.from({ length: bytes.byteLength - 1 }, (_, index) => [bytes.subarray(0, index + 1), bytes.subarray(index + 1)]);
    await compareAll(gateways, cuts);
    expect(gateways[0].fastReaderCalls()).toBeGreaterThan(cuts.length / 2);
  });

  test("to a request that its client does not complete, wherever it ends", async () => {
    const gateways = await startBoth();
    const bytes = renderParts(sound[3] as RequestParts);
    await compareAll(
      gateways,
      Array.from({ length: bytes.byteLength }, (_, length) => [bytes.subarray(0, length)]),
    );
  });

  test("to corrupted requests, in pieces and pipelined", async () => {
    const gateways = await startBoth();
    const random = createRandom(testSeed());
    await compareAll(
      gateways,
      Array.from({ length: conversations }, () => conversation(random)),
    );
    expect(gateways[0].fastReaderCalls()).toBeGreaterThan(conversations / 4);
  });
});

/** Returns one to four requests, some of them corrupted, in one piece or several. */
function conversation(random: Random): Buffer[] {
  const requests = Array.from({ length: random.int(1, 4) }, () => {
    const parts = random.pick(sound);
    return random.bool(0.5) ? renderParts(parts) : mutateRequest(random, parts);
  });
  return random.bool(0.3) ? requests : inPieces(random, Buffer.concat(requests), random.int(1, 4));
}
