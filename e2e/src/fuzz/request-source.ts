import { gzipSync } from "node:zlib";
import { type DescMethod, toBinary, toJson } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Random } from "@petak/testkit";
import { pathOf } from "../wire/call.ts";
import { envelope } from "../wire/envelope.ts";
import { type Spelling, spellingOf, type WireProtocol } from "../wire/protocols.ts";
import { breakHttp1 } from "./break-http1.ts";
import type { Corpus, SoundCall } from "./corpus.ts";
import type { FuzzRequest } from "./fuzz-request.ts";
import { hostileAuthorization, hostileContentType, hostileEncoding, hostileHeaders, hostileTimeout } from "./hostile-headers.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import { mutateMessage } from "./mutate-message.ts";

/** The deadlines that the gateway of the run gives to calls without one, and at most, in ms. */
export const runTimeouts = { defaultTimeoutMs: 2000, maxTimeoutMs: 4000 };

/** What a request source makes. */
export interface RequestSourceOptions {
  random: Random;
  corpus: Corpus;
  protocol: WireProtocol;
  /** Which version of HTTP the requests go over: not everything can be broken in both. */
  http: 1 | 2;
}

/** Makes spoilt requests of one protocol without end: the same ones for the same random source. */
export function createRequestSource({ random, corpus, protocol, http }: RequestSourceOptions): () => FuzzRequest {
  return () => {
    const call = corpus.next(random);
    const spelling = spellingOf(protocol, call.method.methodKind !== "unary");
    const request = soundRequest(random, call, spelling);
    request.what = `${protocol} ${call.method.name}: `;
    if (random.bool(0.1)) setHeader(request, "authorization", random.pick(corpus.authorizations), "another caller");
    const dice = random.float();
    if (dice < 0.68) spoilMessage(random, request, call, spelling);
    else if (dice < 0.75) spoilEnvelope(random, request, call, spelling);
    else if (dice < 0.8) spoilCompression(random, request, call, spelling);
    else if (dice < 0.9) spoilHeaders(random, request, spelling);
    else if (dice < 0.94) spoilPath(random, request);
    else if (dice < 0.97 && !spelling.isFramed) spoilQuery(random, request, call, spelling);
    else if (http === 1) breakHttp1(random, request);
    else spoilHeaders(random, request, spelling);
    return request;
  };
}

/** A call as its protocol spells it, in order. */
function soundRequest(random: Random, { method, message, authorization }: SoundCall, spelling: Spelling): FuzzRequest {
  const isStream = method.methodKind !== "unary";
  // A stream has no end of its own, so it gets one. Unary calls mostly have the gateway's default.
  const timeoutMs = isStream ? 40 : random.bool(0.1) ? random.pick([0, 1, 20, 1000]) : undefined;
  const headers: FuzzRequest["headers"] = [["content-type", spelling.contentType]];
  if (authorization !== undefined) headers.push(["authorization", authorization]);
  if (timeoutMs !== undefined) headers.push([spelling.timeoutHeader, spelling.timeoutValue(timeoutMs)]);
  if (spelling.timeoutHeader === "grpc-timeout") headers.push(["te", "trailers"]);
  const bytes = encode(method, message, spelling);
  return {
    what: "",
    verb: "POST",
    path: pathOf(method),
    headers,
    body: spelling.isFramed ? envelope(bytes) : bytes,
    dueMs: timeoutMs ?? runTimeouts.defaultTimeoutMs,
    isEndless: false,
    isFramedByHand: false,
    isBrokenHttp: false,
  };
}

function encode({ input }: DescMethod, message: SoundCall["message"], { isJson }: Spelling): Buffer {
  return isJson ? Buffer.from(JSON.stringify(toJson(input, message))) : Buffer.from(toBinary(input, message));
}

function spoilMessage(random: Random, request: FuzzRequest, { method, message }: SoundCall, spelling: Spelling): void {
  let bytes: Buffer;
  if (random.bool(0.45)) {
    request.what += "extreme values";
    try {
      bytes = encode(method, mutateMessage(random, method.input, message), spelling);
    } catch {
      // JSON has no way to write some of them.
      bytes = encode(method, message, spelling).subarray(0, -1);
    }
  } else if (spelling.isJson) {
    request.what += "spoilt JSON";
    bytes = mutateJson(random, encode(method, message, spelling).toString());
  } else {
    request.what += "spoilt bytes";
    bytes = mutateBytes(random, encode(method, message, spelling));
  }
  request.body = spelling.isFramed ? envelope(bytes) : bytes;
}

/** Flags that some protocol gives a meaning: compressed, end of stream, trailers; and all that none does. */
const flags = [0, 1, 2, 3, 4, 0x7f, 0x80, 0x81, 0xff];

function spoilEnvelope(random: Random, request: FuzzRequest, call: SoundCall, spelling: Spelling): void {
  const { method, message } = call;
  if (!spelling.isFramed) {
    request.what += "an envelope where none belongs";
    request.body = envelope(request.body, random.pick(flags));
    return;
  }
  const bytes = encode(method, message, spelling);
  const whole = envelope(bytes, random.pick(flags));
  const lie = Buffer.from(whole);
  lie.writeUInt32BE(random.pick([0, 1, bytes.byteLength + 1, 0x100000, 0x100001, 0x7fffffff, 0xffffffff]), 1);
  request.what += "spoilt envelope";
  request.body = random.pick([
    () => whole,
    () => lie,
    () => Buffer.concat([lie, whole]),
    () => Buffer.concat([whole, whole]),
    () => Buffer.concat([whole, lie.subarray(0, random.int(0, 5))]),
    () => whole.subarray(0, random.int(0, whole.byteLength)),
    () => Buffer.concat([envelope(bytes), envelope(Buffer.from("{}"), 2)]),
    () => Buffer.concat(Array.from({ length: 20 }, () => envelope(bytes))),
    () => Buffer.concat(Array.from({ length: 200 }, () => envelope(new Uint8Array()))),
    () => bytes,
    () => Buffer.alloc(0),
  ])();
}

/** 64 MiB in 64 KiB, and the same once more within itself. */
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { level: 9 });
const bombInBomb = gzipSync(bomb);

function spoilCompression(random: Random, request: FuzzRequest, { method, message }: SoundCall, spelling: Spelling): void {
  const sound = encode(method, message, spelling);
  const packed = gzipSync(sound, { level: 1 });
  const bytes = random.pick([
    () => packed,
    () => packed.subarray(0, random.int(0, packed.byteLength)),
    () => Buffer.concat([packed.subarray(0, -6), Buffer.from([0x55]), packed.subarray(-5)]),
    () => sound,
    () => Buffer.concat([packed, packed]),
    () => Buffer.alloc(0),
    // Bombs are work for both sides, so they come seldom.
    () => (random.bool(0.2) ? random.pick([bomb, bombInBomb]) : packed),
  ])();
  const encoding = random.bool(0.6) ? "gzip" : hostileEncoding(random);
  setHeader(request, spelling.encodingHeader, encoding, `compression ${encoding.slice(0, 20)}`);
  request.body = spelling.isFramed ? envelope(bytes, random.bool(0.8) ? 1 : 0) : bytes;
}

function spoilHeaders(random: Random, request: FuzzRequest, spelling: Spelling): void {
  switch (random.int(0, 4)) {
    case 0:
      setHeader(request, "content-type", hostileContentType(random), "content type");
      // What it is now, and whether it has a deadline, depends on the type.
      request.dueMs = runTimeouts.defaultTimeoutMs;
      request.isEndless = true;
      break;
    case 1:
      setHeader(request, spelling.timeoutHeader, hostileTimeout(random), "deadline");
      request.dueMs = runTimeouts.defaultTimeoutMs;
      request.isEndless = true;
      break;
    case 2:
    case 3:
      setHeader(request, "authorization", hostileAuthorization(random), "authorization");
      break;
    default: {
      const extra = hostileHeaders(random);
      request.what += `headers ${extra.map(([name]) => name)}`;
      request.headers.push(...extra);
    }
  }
}

const paths = [
  "/",
  "/livez",
  "/readyz",
  "/metrics",
  "/.well-known/petak/jwks.json",
  "/petak.v1.DirectoryService",
  "/petak.v1.DirectoryService/",
  "/petak.v1.DirectoryService/Nothing",
  "/petak.v1.DirectoryService/findNearest",
  "/petak.v1.directoryservice/FindNearest",
  "//petak.v1.DirectoryService/FindNearest",
  "/petak.v1.DirectoryService/FindNearest/",
  "/petak.v1.DirectoryService/FindNearest?x=%",
  "/petak.v1.DirectoryService/%46indNearest",
  "/petak.v2.DirectoryService/FindNearest",
  "/../petak.v1.DirectoryService/FindNearest",
  "/petak.v1.DirectoryService/FindNearest;a=b",
  "/petak.v1.DirectoryService/FindNearest#a",
  "/__proto__/constructor",
  "/grpc.health.v1.Health/Nothing",
  "/%",
  "/%ff%fe",
  `/${"a".repeat(5000)}`,
  "http://other.test/petak.v1.DirectoryService/FindNearest",
  "/?",
];

const verbs = ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST"];

function spoilPath(random: Random, request: FuzzRequest): void {
  if (random.bool(0.7)) request.path = random.pick(paths);
  else request.verb = random.pick(verbs);
  request.what += `${request.verb} ${request.path.slice(0, 80)}`;
  request.isEndless = true;
  // HTTP/2 has the scheme and the authority elsewhere, and takes such a path for a breach.
  request.isBrokenHttp = request.path.startsWith("http://");
}

/** A GET, which Connect has for methods without side effects, with a query that is in order or not. */
function spoilQuery(random: Random, request: FuzzRequest, { method, message }: SoundCall, spelling: Spelling): void {
  const isSafe = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const sound = encode(method, message, spelling);
  const bytes = spelling.isJson ? mutateJson(random, sound.toString()) : mutateBytes(random, sound);
  const inQuery = bytes.subarray(0, 3000);
  const parameters: [string, string][] = [
    ["connect", random.pick(["v1", "v2", ""])],
    ["encoding", random.bool(0.8) ? (spelling.isJson ? "json" : "proto") : random.pick(["xml", "", "JSON"])],
    ["base64", random.pick(["1", "0", "true"])],
    ["message", random.bool(0.8) ? inQuery.toString("base64url") : encodeURIComponent(inQuery.toString("latin1"))],
  ];
  if (random.bool(0.2)) parameters.push(["compression", hostileEncoding(random)]);
  if (random.bool(0.2)) parameters.splice(random.int(0, parameters.length - 1), 1);
  if (random.bool(0.1)) parameters.push(random.pick(parameters));
  request.what += `${isSafe ? "GET" : "GET of what changes something"} `;
  request.verb = "GET";
  request.path += `?${parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  request.headers = request.headers.filter(([name]) => name !== "content-type");
  request.body = Buffer.alloc(0);
  // Beyond what headers may take HTTP/2 answers with an end of the stream.
  request.isBrokenHttp = request.path.length > 12_000;
}

function setHeader(request: FuzzRequest, name: string, value: string, what: string): void {
  request.headers = [...request.headers.filter(([present]) => present !== name), [name, value]];
  request.what += `${what} `;
}
