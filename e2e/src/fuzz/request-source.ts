import { gzipSync } from "node:zlib";
import { type DescMethod, toBinary, toJson } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { onThisMachine, type Random } from "@petak/testkit";
import { pathOf } from "../wire/call.ts";
import { envelope } from "../wire/envelope.ts";
import { type CallEncoding, callEncodingOf, type WireProtocol } from "../wire/protocols.ts";
import { breakHttp1 } from "./break-http1.ts";
import type { Corpus, ValidCall } from "./corpus.ts";
import type { FuzzRequest } from "./fuzz-request.ts";
import { hostileAuthorization, hostileContentType, hostileEncoding, hostileHeaders, hostileTimeout } from "./hostile-headers.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateJson } from "./mutate-json.ts";
import { mutateMessage } from "./mutate-message.ts";

/** A bound for this machine at its present speed, in ms: less than any test here waits for a response. */
const scaled = (ms: number) => Math.min(30_000, Math.ceil(onThisMachine(ms)));

/** The gateway's default and longest deadline in a run, in ms. Valid calls must be answered within them. */
export const runTimeouts = { defaultTimeoutMs: scaled(2000), maxTimeoutMs: scaled(4000) };

/** The requests that a source makes. */
export interface RequestSourceOptions {
  random: Random;
  corpus: Corpus;
  protocol: WireProtocol;
  /** The version of HTTP of the requests: some mutations exist in one version only. */
  http: 1 | 2;
}

/** Makes an endless sequence of mutated requests of one protocol, determined by the random source. */
export function createRequestSource({ random, corpus, protocol, http }: RequestSourceOptions): () => FuzzRequest {
  return () => {
    const call = corpus.next(random);
    const callEncoding = callEncodingOf(protocol, call.method.methodKind !== "unary");
    const request = validRequest(random, call, callEncoding);
    request.what = `${protocol} ${call.method.name}: `;
    if (random.bool(0.1)) setHeader(request, "authorization", random.pick(corpus.authorizations), "another caller");
    const dice = random.float();
    if (dice < 0.68) spoilMessage(random, request, call, callEncoding);
    else if (dice < 0.75) spoilEnvelope(random, request, call, callEncoding);
    else if (dice < 0.8) spoilCompression(random, request, call, callEncoding);
    else if (dice < 0.9) spoilHeaders(random, request, callEncoding);
    else if (dice < 0.94) spoilPath(random, request);
    else if (dice < 0.97 && !callEncoding.isFramed) spoilQuery(random, request, call, callEncoding);
    else if (http === 1) breakHttp1(random, request);
    else spoilHeaders(random, request, callEncoding);
    return request;
  };
}

/** A valid call in the encoding of its protocol. */
function validRequest(random: Random, { method, message, authorization }: ValidCall, callEncoding: CallEncoding): FuzzRequest {
  const isStream = method.methodKind !== "unary";
  // A stream would not end by itself, so it gets a deadline. Most unary calls use the gateway's default.
  const timeoutMs = isStream ? 40 : random.bool(0.1) ? random.pick([0, 1, 20, 1000]) : undefined;
  const headers: FuzzRequest["headers"] = [["content-type", callEncoding.contentType]];
  if (authorization !== undefined) headers.push(["authorization", authorization]);
  if (timeoutMs !== undefined) headers.push([callEncoding.timeoutHeader, callEncoding.timeoutValue(timeoutMs)]);
  if (callEncoding.timeoutHeader === "grpc-timeout") headers.push(["te", "trailers"]);
  const bytes = encode(method, message, callEncoding);
  return {
    what: "",
    verb: "POST",
    path: pathOf(method),
    headers,
    body: callEncoding.isFramed ? envelope(bytes) : bytes,
    dueMs: timeoutMs ?? runTimeouts.defaultTimeoutMs,
    isEndless: false,
    isFramedByHand: false,
    isBrokenHttp: false,
  };
}

function encode({ input }: DescMethod, message: ValidCall["message"], { isJson }: CallEncoding): Buffer {
  return isJson ? Buffer.from(JSON.stringify(toJson(input, message))) : Buffer.from(toBinary(input, message));
}

function spoilMessage(random: Random, request: FuzzRequest, { method, message }: ValidCall, callEncoding: CallEncoding): void {
  let bytes: Buffer;
  if (random.bool(0.45)) {
    request.what += "extreme values";
    try {
      bytes = encode(method, mutateMessage(random, method.input, message), callEncoding);
    } catch {
      // JSON cannot express some of the values.
      bytes = encode(method, message, callEncoding).subarray(0, -1);
    }
  } else if (callEncoding.isJson) {
    request.what += "spoilt JSON";
    bytes = mutateJson(random, encode(method, message, callEncoding).toString());
  } else {
    request.what += "spoilt bytes";
    bytes = mutateBytes(random, encode(method, message, callEncoding));
  }
  request.body = callEncoding.isFramed ? envelope(bytes) : bytes;
}

/** Envelope flags with a meaning in some protocol (compressed, end of stream, trailers), and all without one. */
const flags = [0, 1, 2, 3, 4, 0x7f, 0x80, 0x81, 0xff];

function spoilEnvelope(random: Random, request: FuzzRequest, call: ValidCall, callEncoding: CallEncoding): void {
  const { method, message } = call;
  if (!callEncoding.isFramed) {
    request.what += "an envelope where none belongs";
    request.body = envelope(request.body, random.pick(flags));
    return;
  }
  const bytes = encode(method, message, callEncoding);
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

/** 64 MiB compressed to 64 KiB, and the same compressed once more. */
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { level: 9 });
const bombInBomb = gzipSync(bomb);

function spoilCompression(random: Random, request: FuzzRequest, { method, message }: ValidCall, callEncoding: CallEncoding): void {
  const sound = encode(method, message, callEncoding);
  const packed = gzipSync(sound, { level: 1 });
  const bytes = random.pick([
    () => packed,
    () => packed.subarray(0, random.int(0, packed.byteLength)),
    () => Buffer.concat([packed.subarray(0, -6), Buffer.from([0x55]), packed.subarray(-5)]),
    () => sound,
    () => Buffer.concat([packed, packed]),
    () => Buffer.alloc(0),
    // Bombs cost both sides time, so they are rare.
    () => (random.bool(0.2) ? random.pick([bomb, bombInBomb]) : packed),
  ])();
  const encoding = random.bool(0.6) ? "gzip" : hostileEncoding(random);
  setHeader(request, callEncoding.encodingHeader, encoding, `compression ${encoding.slice(0, 20)}`);
  request.body = callEncoding.isFramed ? envelope(bytes, random.bool(0.8) ? 1 : 0) : bytes;
}

function spoilHeaders(random: Random, request: FuzzRequest, callEncoding: CallEncoding): void {
  switch (random.int(0, 4)) {
    case 0:
      setHeader(request, "content-type", hostileContentType(random), "content type");
      // The type determines what the request is and whether it has a deadline.
      request.dueMs = runTimeouts.defaultTimeoutMs;
      request.isEndless = true;
      break;
    case 1:
      setHeader(request, callEncoding.timeoutHeader, hostileTimeout(random), "deadline");
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
  // HTTP/2 carries the scheme and the authority elsewhere and treats such a path as a protocol error.
  request.isBrokenHttp = request.path.startsWith("http://");
}

/** A GET, which Connect permits for methods without side effects, with a valid or invalid query. */
function spoilQuery(random: Random, request: FuzzRequest, { method, message }: ValidCall, callEncoding: CallEncoding): void {
  const isSafe = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const sound = encode(method, message, callEncoding);
  const bytes = callEncoding.isJson ? mutateJson(random, sound.toString()) : mutateBytes(random, sound);
  const inQuery = bytes.subarray(0, 3000);
  const parameters: [string, string][] = [
    ["connect", random.pick(["v1", "v2", ""])],
    ["encoding", random.bool(0.8) ? (callEncoding.isJson ? "json" : "proto") : random.pick(["xml", "", "JSON"])],
    ["base64", random.pick(["1", "0", "true"])],
    ["message", random.bool(0.8) ? inQuery.toString("base64url") : encodeURIComponent(inQuery.toString("latin1"))],
  ];
  if (random.bool(0.2)) parameters.push(["compression", hostileEncoding(random)]);
  if (random.bool(0.2)) parameters.splice(random.int(0, parameters.length - 1), 1);
  if (random.bool(0.1)) parameters.push(random.pick(parameters));
  request.what += `${isSafe ? "GET" : "GET of a method with side effects"} `;
  request.verb = "GET";
  request.path += `?${parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  request.headers = request.headers.filter(([name]) => name !== "content-type");
  request.body = Buffer.alloc(0);
  // Above the limit for headers, HTTP/2 resets the stream.
  request.isBrokenHttp = request.path.length > 12_000;
}

function setHeader(request: FuzzRequest, name: string, value: string, what: string): void {
  request.headers = [...request.headers.filter(([present]) => present !== name), [name, value]];
  request.what += `${what} `;
}
