import { connect, type Socket } from "node:net";
import { createRandom, onThisMachine, type Random, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { type GatewayProcess, type ProcessNetwork, startTestNetwork } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const settings = frame(4, 0, 0, Buffer.alloc(0));

/** The limits of this gateway, short to keep the tests short. */
const serverLimits = { headersTimeoutMs: 1000, requestTimeoutMs: 2000, sniffTimeoutMs: 1000 };

/** Conversations of each kind. */
const conversationCount = roundsHere({ short: 150, ci: 300 });

/** When a connection without a valid request must be closed, in ms: the longest limit, the interval of Node's check, and some slack. */
const closedWithinMs = 8000;

const redis = useRedis();
let network: ProcessNetwork;
let gateway: GatewayProcess;

beforeAll(async () => {
  network = await startTestNetwork({
    redis,
    ownProcess: true,
    hasShortStacks: true,
    callLimits: { defaultTimeoutMs: 1000, maxTimeoutMs: 1000, callerRefusalsPerSecond: 100_000, failedAuthenticationsMax: 1_000_000 },
    serverLimits,
  });
  ({ gateway } = network);
});
afterAll(() => network?.stop());

/** An HTTP/2 frame. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array, length = payload.byteLength): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** What one connection sends, piece by piece; the peer may disconnect after any piece. */
interface Conversation {
  pieces: Buffer[];
  /** Pause between two pieces, in ms. */
  pauseMs?: number;
  /** Whether the client disconnects when it has sent everything; otherwise the gateway must. */
  leaves?: boolean;
  /** When the connection must be closed, in ms. Default {@link closedWithinMs}. */
  withinMs?: number;
}

/** How long a connection was open, and the limit for it by the machine's load at its end, in ms. */
interface Duration {
  openMs: number;
  limitMs: number;
}

/** Holds a conversation. */
function converse({ pieces, pauseMs = 0, leaves = false, withinMs = closedWithinMs }: Conversation): Promise<Duration> {
  return new Promise((resolve) => {
    const openedMs = performance.now();
    const socket: Socket = connect({ port: gateway.port, host: "127.0.0.1" });
    const rest = [...pieces];
    let timer: NodeJS.Timeout | undefined;
    const sendNext = (): void => {
      const piece = rest.shift();
      if (piece !== undefined && socket.writable) socket.write(piece);
      if (rest.length > 0) timer = setTimeout(sendNext, pauseMs);
      else if (leaves) socket.end();
    };
    socket.on("connect", sendNext);
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      const openMs = performance.now() - openedMs;
      resolve({ openMs, limitMs: onThisMachine(withinMs, openMs) });
    });
  });
}

/** Bytes that are not HTTP: of other protocols, random, or almost valid. */
function garbage(random: Random): Buffer {
  return random.pick([
    () => Buffer.from(random.bytes(random.int(1, 300))),
    () => Buffer.from("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", "latin1"),
    () => Buffer.from("SSH-2.0-OpenSSH_9.9\r\n"),
    () => Buffer.from("*1\r\n$4\r\nPING\r\n"),
    () => Buffer.from("EHLO gateway.test\r\n"),
    () => Buffer.from("GET / HTTP/9.9\r\n\r\n"),
    () => Buffer.from("GET /livez HTTP/1.0\r\n\r\n"),
    () => Buffer.from("GET\r\n\r\n"),
    () => Buffer.from("\r\n\r\n\r\n"),
    () => Buffer.alloc(70_000, 0x41),
    () => Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    () => Buffer.concat([preface.subarray(0, 23), Buffer.from("X")]),
    () => Buffer.concat([preface, Buffer.from(random.bytes(200))]),
    () => Buffer.concat([preface, settings, Buffer.from("GET / HTTP/1.1\r\n\r\n")]),
  ])();
}

/** Invalid sequences of HTTP/2 frames, each after a valid beginning. */
function brokenFrames(random: Random): Buffer[] {
  const any = (length: number) => Buffer.from(random.bytes(length));
  const headers = (stream: number, flags: number, block: Uint8Array) => frame(1, flags, stream, block);
  const request = Buffer.from([0x83, 0x84, 0x86, 0x41, 0x01, 0x61]);
  return random.pick([
    () => [frame(random.int(0, 255), random.int(0, 255), random.int(0, 9), any(random.int(0, 60)))],
    () => [frame(0, 0, 0, any(10))],
    () => [frame(0, 0, 7, any(10))],
    () => [frame(4, 0, 0, any(7))],
    () => [frame(4, 1, 0, any(6))],
    () => [frame(4, 0, 0, Buffer.from([0, 4, 0xff, 0xff, 0xff, 0xff]))],
    () => [frame(8, 0, 0, Buffer.alloc(4))],
    () => [frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])), frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
    () => [frame(6, 0, 0, any(7))],
    () => [frame(0, 0, 1, any(20), 0xffffff)],
    () => [headers(2, 5, request)],
    () => [headers(1, 5, any(40))],
    () => [headers(1, 4, request), headers(1, 4, request)],
    () => [headers(1, 0, request), frame(0, 1, 1, any(5))],
    () => [headers(5, 5, request), headers(3, 5, request)],
    () => [frame(9, 4, 1, request)],
    // A header field that refers to an unknown table entry, and one whose length never ends.
    () => [headers(1, 5, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]))],
    () => [headers(1, 5, Buffer.from([0x40, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]))],
    // Floods of settings, pings, resets, endless headers and empty data.
    () => Array.from({ length: 2000 }, () => settings),
    () => Array.from({ length: 2000 }, () => frame(6, 0, 0, Buffer.alloc(8))),
    () =>
      Array.from({ length: 1500 }, (_, n) => [headers(2 * n + 1, 5, request), frame(3, 0, 2 * n + 1, Buffer.from([0, 0, 0, 8]))]).flat(),
    () => [headers(1, 0, request), ...Array.from({ length: 2000 }, () => frame(9, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62])))],
    () => [headers(1, 4, request), ...Array.from({ length: 3000 }, () => frame(0, 0, 1, Buffer.alloc(0)))],
  ])();
}

/** Holds some conversations concurrently, so that a few hundred take less time. */
async function converseAll(conversations: Conversation[]): Promise<Duration[]> {
  const results: Duration[] = [];
  const rest = [...conversations];
  const work = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) results.push(await converse(next));
  };
  await Promise.all(Array.from({ length: 32 }, work));
  return results;
}

/** The gateway has no open connection, has logged no error, and responds. */
async function expectUnharmed(): Promise<void> {
  const isAtRest = async (): Promise<unknown> => {
    const { inFlight, connections } = await gateway.look();
    return { inFlight, connections };
  };
  await expect.poll(isAtRest, { interval: 100 }).toEqual({ inFlight: 0, connections: 0 });
  expect((await gateway.look()).wrongLines).toEqual([]);
  expect(gateway.ended()).toBeUndefined();
  const response = await fetch(`http://127.0.0.1:${gateway.port}/livez`, { headers: { connection: "close" } });
  expect(await response.json()).toEqual({ status: "live" });
}

describe("a connection that does not speak valid HTTP", () => {
  it("is closed, whatever it sends", async () => {
    const random = createRandom(testSeed());
    const conversations = Array.from({ length: conversationCount }, () => ({ pieces: [garbage(random)], leaves: random.bool(0.8) }));
    for (const { openMs, limitMs } of await converseAll(conversations)) expect(openMs).toBeLessThan(limitMs);
    await expectUnharmed();
  });

  it("is closed when it breaks the rules of HTTP/2, including by floods", async () => {
    const random = createRandom(testSeed());
    const conversations = Array.from({ length: conversationCount }, () => ({
      pieces: [Buffer.concat([preface, settings, ...brokenFrames(random)])],
      leaves: true,
    }));
    for (const { openMs, limitMs } of await converseAll(conversations)) expect(openMs).toBeLessThan(limitMs);
    await expectUnharmed();
  });

  it("is closed in time when it sends too slowly", async () => {
    const slowly = (text: string): Conversation => ({ pieces: [...text].map((letter) => Buffer.from(letter)), pauseMs: 150 });
    const conversations: Conversation[] = [
      { pieces: [] },
      { pieces: [preface.subarray(0, 5)] },
      slowly("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n and on"),
      slowly("GET /livez HTTP/1.1\r\nHost: gateway.test\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
      { pieces: [Buffer.from("POST /petak.v1.DirectoryService/GetSite HTTP/1.1\r\nHost: a\r\nContent-Length: 9")] },
      {
        ...slowly("{".repeat(60)),
        pieces: [
          Buffer.from(
            "POST /petak.v1.DirectoryService/GetSite HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n",
          ),
          ...Array.from({ length: 60 }, () => Buffer.from("{")),
        ],
      },
    ];
    const results = await converseAll(conversations.map((one) => ({ ...one, withinMs: closedWithinMs + 12_000 })));
    for (const { openMs, limitMs } of results) expect(openMs).toBeLessThan(limitMs);
    await expectUnharmed();
  });

  it("is not leaked when its client disconnects in the middle of a request", async () => {
    const random = createRandom(testSeed());
    const sound = Buffer.from(
      'POST /petak.v1.CustodyService/ListEvents HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"wait":"30s"}',
    );
    const conversations = Array.from({ length: conversationCount }, () => ({
      pieces: [sound.subarray(0, random.int(1, sound.byteLength))],
      leaves: true,
    }));
    for (const { openMs, limitMs } of await converseAll(conversations)) expect(openMs).toBeLessThan(limitMs);
    await expectUnharmed();
  });
});
