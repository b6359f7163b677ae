import type { Random } from "@petak/testkit";

/** An HTTP/1.1 request in parts. */
export interface RequestParts {
  line: string;
  fields: string[];
  body: string;
}

/** Returns the bytes of a request, one for each character. */
export function renderParts({ line, fields, body }: RequestParts): Buffer {
  return Buffer.from(`${[line, ...fields].join("\r\n")}\r\n\r\n${body}`, "latin1");
}

const addedFields = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: identity",
  "transfer-encoding : chunked",
  "Transfer_Encoding: chunked",
  "Content-Length: 0",
  "content-length: 5",
  "Content-Length: 5, 5",
  "Host: other.test",
  "Expect: 100-continue",
  "Expect: a miracle",
  "Upgrade: h2c",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: keep-alive, close",
  "Connection: upgrade",
  "Proxy-Connection: close",
  "Keep-Alive: timeout=1",
  "TE: trailers",
  "Trailer: x-a",
  "X-A: 1\r\n folded",
  "X-A: 1\nContent-Length: 3",
  "X-A: 1\rX-B: 2",
  "X-A: \x00",
  "X-A: \xe9\xff",
  "X-A:",
  "X-A:no space",
  "X-A : before",
  "X-A: behind \t",
  "X-A",
  ": 1",
  "\tX-A: 1",
  "__proto__: 1",
  "Origin: https://shop.example",
  "Accept-Encoding: gzip",
  "Content-Encoding: gzip",
  "Content-Type: text/plain",
  "X-Request-Id: chosen-1",
  "X-Request-Id: not sane",
  `X-Long: ${"a".repeat(9000)}`,
  `X-Long: ${"a".repeat(20_000)}`,
];

const otherLines = [
  "post /grpc.health.v1.Health/Check HTTP/1.1",
  "POST /grpc.health.v1.Health/Check HTTP/1.0",
  "POST /grpc.health.v1.Health/Check HTTP/1.2",
  "POST /grpc.health.v1.Health/Check HTTP/2.0",
  "POST  /grpc.health.v1.Health/Check HTTP/1.1",
  "POST /grpc.health.v1.Health/Check  HTTP/1.1",
  "POST /grpc.health.v1.Health/Check HTTP/1.1 ",
  "POST /grpc.health.v1.Health/Check",
  "POST /grpc.health.v1.Health/Nothing HTTP/1.1",
  "POST /grpc.health.v1.Health/Check?a=b HTTP/1.1",
  "POST http://gateway.test/grpc.health.v1.Health/Check HTTP/1.1",
  "POST * HTTP/1.1",
  "GET /livez HTTP/1.1",
  "GET /grpc.health.v1.Health/Check HTTP/1.1",
  "OPTIONS /grpc.health.v1.Health/Check HTTP/1.1",
  "\r\nPOST /grpc.health.v1.Health/Check HTTP/1.1",
  "\nPOST /grpc.health.v1.Health/Check HTTP/1.1",
];

const otherLengths = ["+3", "03", " 3", "3 ", "0x3", "3.0", "1e0", "-3", "3,3", "3;3", "", "99999999999999999999", "18446744073709551619"];

/** Returns the bytes of a request, possibly corrupted on the level of HTTP. */
export function mutateRequest(random: Random, sound: RequestParts): Buffer {
  const parts = { ...sound, fields: [...sound.fields] };
  const at = (): number => random.int(0, parts.fields.length - 1);
  switch (random.int(0, 9)) {
    case 0:
    case 1:
      parts.fields.splice(random.int(0, parts.fields.length), 0, random.pick(addedFields));
      break;
    case 2:
      parts.fields.push(random.pick(parts.fields));
      break;
    case 3:
      parts.fields.splice(at(), 1);
      break;
    case 4:
      parts.line = random.pick(otherLines);
      break;
    case 5:
      parts.fields = parts.fields.map((field) => (/^content-length/i.test(field) ? `Content-Length: ${random.pick(otherLengths)}` : field));
      break;
    case 6:
      return chunked(random, parts);
    case 7:
      return withBytesChanged(random, renderParts(parts));
    case 8:
      parts.fields = parts.fields.map((field) => (random.bool() ? field.toLowerCase() : field.toUpperCase()));
      break;
    default:
      parts.body += random.pick(["", "", "\r\n", "\r\n\r\n", "x"]);
  }
  return renderParts(parts);
}

function chunked(random: Random, { line, fields, body }: RequestParts): Buffer {
  const framing = fields.filter((field) => random.bool(0.2) || !/^content-length/i.test(field));
  const chunks = random.pick([
    `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    `${body.length.toString(16)};a=b\r\n${body}\r\n0\r\nx-trailer: a\r\n\r\n`,
    `${body.length.toString(16)}\n${body}\n0\n\n`,
    "0\r\n\r\n",
    "zz\r\n",
  ]);
  return renderParts({ line, fields: [...framing, "Transfer-Encoding: chunked"], body: chunks });
}

function withBytesChanged(random: Random, bytes: Buffer): Buffer {
  for (let left = random.int(1, 3); left > 0; left -= 1) {
    const at = random.int(0, bytes.byteLength - 1);
    bytes.writeUInt8(random.bool(0.5) ? bytes.readUInt8(at) ^ (1 << random.int(0, 7)) : random.pick([0, 9, 10, 13, 32, 58, 255]), at);
  }
  return bytes;
}

/** Cuts bytes into pieces at random positions. */
export function inPieces(random: Random, bytes: Buffer, count: number): Buffer[] {
  const cuts = Array.from({ length: count - 1 }, () => random.int(0, bytes.byteLength)).toSorted((a, b) => a - b);
  return [0, ...cuts]
    .map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.byteLength))
    .filter(({ byteLength }) => byteLength > 0);
}
