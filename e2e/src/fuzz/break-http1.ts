import type { Random } from "@petak/testkit";
import type { FuzzRequest } from "./fuzz-request.ts";

type Headers = FuzzRequest["headers"];

const host = ["host", "gateway.test"] as const;
const chunked = ["transfer-encoding", "chunked"] as const;
const manyHeaders: Headers = Array.from({ length: 1500 }, (_, index) => [`x-${index}`, "1"] as const);

/** Breaks a request at the level of HTTP/1.1: its request line, its headers or the framing of its body. */
export function breakHttp1(random: Random, request: FuzzRequest): void {
  const { headers, body } = request;
  const length = ["content-length", String(body.byteLength)] as const;
  const otherLength = (text: string) => ["content-length", text] as const;
  const withHeaders = (...more: Headers): Partial<FuzzRequest> => ({ headers: [host, ...headers, ...more] });
  const breaks: [what: string, Partial<FuzzRequest>][] = [
    ["no Host", { headers: [...headers, length] }],
    ["two Hosts", withHeaders(["host", "other.test"], length)],
    ["an invalid Host", { headers: [["host", "a b%"], ...headers, length] }],
    ["an invalid length", withHeaders(otherLength(random.pick(["-1", "1e3", "0x5", "5,5", ""])))],
    ["a length too short", withHeaders(otherLength(String(Math.max(0, body.byteLength - random.int(1, 10)))))],
    ["two lengths", withHeaders(length, otherLength(String(body.byteLength + 1)))],
    ["length and chunks", withHeaders(length, chunked)],
    ["invalid chunks", withHeaders(chunked)],
    ["a chunk too long", { ...withHeaders(chunked), body: Buffer.from("ffffffffffffffff\r\nabc\r\n0\r\n\r\n") }],
    ["chunks in order", { ...withHeaders(chunked), body: inChunks(body) }],
    ["another transfer encoding", withHeaders(["transfer-encoding", random.pick(["gzip", "identity", "chunked, gzip"])])],
    ["a header without a colon", withHeaders(["a b", "c"], length)],
    ["a control character in a header", withHeaders(["x-a", "b\u0001\u007f"], length)],
    ["a header in two lines", withHeaders(["x-a", "b\r\n c"], length)],
    ["headers that are too long", withHeaders(["x-a", "b".repeat(20_000)], length)],
    ["too many headers", withHeaders(...manyHeaders, length)],
    ["an invalid verb", { ...withHeaders(length), verb: random.pick(["FOO", "post", "P\u0000ST", "", "GET /livez HTTP/1.1\r\nGET"]) }],
    ["an invalid path", { ...withHeaders(length), path: random.pick(["", " ", "/a b", "x", "/\u0001", "*", "//", "/\\"]) }],
    ["an upgrade", withHeaders(["connection", "upgrade"], ["upgrade", random.pick(["h2c", "websocket"])], length)],
    ["an expectation", withHeaders(["expect", random.pick(["100-continue", "a miracle"])], length)],
    ["a connection to nowhere", { ...withHeaders(length), verb: "CONNECT", path: "nowhere.test:443" }],
  ];
  const [what, broken] = random.pick(breaks);
  Object.assign(request, broken, { isFramedByHand: true, isBrokenHttp: true, isEndless: true });
  request.what += what;
}

function inChunks(body: Buffer): Buffer {
  const end = "0\r\nx-trailer: a\r\n\r\n";
  if (body.byteLength === 0) return Buffer.from(end);
  return Buffer.concat([Buffer.from(`${body.byteLength.toString(16)}\r\n`), body, Buffer.from(`\r\n${end}`)]);
}
