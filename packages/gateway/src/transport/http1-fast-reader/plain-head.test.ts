import { describe, expect, test } from "vitest";
import { parsePlainHead, plainBodyMaxBytes, plainHeadMaxBytes } from "./plain-head.ts";

const line = "POST /petak.v1.DirectoryService/FindNearest HTTP/1.1";
const fields = ["Host: gateway.test:8080", "Content-Type: application/json", "Content-Length: 12"];
const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const withField = (...more: string[]) => head(line, ...fields, ...more);
const withLength = (text: string) => head(line, ...fields.slice(0, 2), text);

test("a supported head is parsed, with the position and length of its body", () => {
  const text = withField("Authorization: Bearer a.b.c", "Connection: Keep-Alive");
  expect(parsePlainHead(`${text}{"limit": 3}POST`)).toEqual({
    method: "POST",
    path: "/petak.v1.DirectoryService/FindNearest",
    isHttp2: false,
    headers: {
      host: "gateway.test:8080",
      "content-type": "application/json",
      "content-length": "12",
      authorization: "Bearer a.b.c",
      connection: "Keep-Alive",
    },
    headBytes: text.length,
    bodyBytes: 12,
  });
});

test("a head is incomplete wherever it is cut off", () => {
  const text = withField();
  for (let length = 0; length < text.length; length += 1) expect(parsePlainHead(text.slice(0, length))).toBe("incomplete");
});

describe("is not supported:", () => {
  test.each<[string, string]>([
    ["another method", head("GET /a/b HTTP/1.1", ...fields)],
    ["a method in lower case", head("post /a/b HTTP/1.1", ...fields)],
    ["another version", head("POST /a/b HTTP/1.0", ...fields)],
    ["a path of one part", head("POST /a HTTP/1.1", ...fields)],
    ["a query", head("POST /a/b?c HTTP/1.1", ...fields)],
    ["a whole URL", head("POST http://a/b/c HTTP/1.1", ...fields)],
    ["two spaces in the line", head("POST  /a/b HTTP/1.1", ...fields)],
    ["an empty line before it", `\r\n${withField()}`],
    ["no Host", head(line, ...fields.slice(1))],
    ["two Hosts", withField("host: other.test")],
    ["a Host that is none", head(line, "Host: a@b", ...fields.slice(1))],
    ["no length", head(line, ...fields.slice(0, 2))],
    ["two lengths", withField("content-length: 12")],
    ...["", " ", "+12", "012", "0x12", "1e1", "12,12", "12 12", "-1", "١٢", String(plainBodyMaxBytes + 1), "99999999999999999999"].map(
      (length): [string, string] => [`the length "${length}"`, withLength(`Content-Length: ${length}`)],
    ),
    ["a length with a space before its colon", withLength("Content-Length : 12")],
    ["a length with a tab before it", withLength("Content-Length:\t12")],
    ["a length without a space before it", withLength("Content-Length:12")],
    ["a length with a space behind it", withLength("Content-Length: 12 ")],
    ["an underscore in a name", withField("content_length: 3")],
    ["a name twice", withField("X-A: 1", "x-a: 2")],
    ["a name that objects have", withField("__proto__: 1")],
    ["chunks", withField("Transfer-Encoding: chunked")],
    ["an expectation", withField("Expect: 100-continue")],
    ["an upgrade", withField("Upgrade: h2c")],
    ["trailers", withField("Trailer: x-a")],
    ["a connection that closes", withField("Connection: close")],
    ["a connection with options", withField("Connection: keep-alive, upgrade")],
    ["a header in two lines", withField("X-A: 1\r\n 2")],
    ["a header without a colon", withField("X-A")],
    ["a header without a name", withField(": 1")],
    ["a header without a value", withField("X-A: ")],
    ["a bare line feed", withField("X-A: 1\nContent-Length: 3")],
    ["a bare carriage return", withField("X-A: 1\rContent-Length: 3")],
    ["a NUL", withField("X-A: 1\0")],
    ["a character beyond ASCII", withField("X-A: \xe9")],
    ["too many headers", withField(...Array.from({ length: 62 }, (_, index) => `X-${index}: 1`))],
    ["a head that is too long", withField(`X-A: ${"a".repeat(plainHeadMaxBytes)}`)],
    ["the beginning of one that is too long", `${line}\r\nX-A: ${"a".repeat(plainHeadMaxBytes)}`],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("%s", (_name, text) => {
    expect(parsePlainHead(text)).toBe("unsupported");
  });
});
