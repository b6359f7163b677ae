import { create, toBinary } from "@bufbuild/protobuf";
import { FindNearestRequestSchema } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import {
  envelope,
  type Http2Answer,
  http2Request,
  rawConnection,
  reasonInEndStream,
  reasonInJson,
  reasonInLastFrame,
  reasonInTrailers,
} from "./testing/raw-http.ts";
import { goodRequest, startTestGateway } from "./testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const watchEvents = "/petak.v1.CustodyService/WatchEvents";
const goodJson = JSON.stringify(goodRequest);

/** JSON with the byte 0xE9, which is "é" in Latin-1 and nothing in UTF-8. */
const badJson = Buffer.from(`${goodJson.slice(0, -1)},"operatorIds":["caf\xe9"]}`, "latin1");
const badCursor = Buffer.from('{"cursor":"caf\xe9"}', "latin1");
/** The same in a binary message: the replaced byte keeps the length. */
const badBinary = Buffer.from(
  toBinary(FindNearestRequestSchema, create(FindNearestRequestSchema, { ...goodRequest, operatorIds: ["cafe"] })),
);
badBinary[badBinary.lastIndexOf("cafe") + 3] = 0xe9;

describe.each([true, false])("text that is not UTF-8 is refused, with the unary fast path: %s,", (hasUnaryFastPath) => {
  test.each<[string, string, string, Uint8Array, (answer: Http2Answer) => string | undefined]>([
    ["Connect JSON", findNearest, "application/json", badJson, ({ body }) => reasonInJson(body)],
    ["Connect JSON with a charset", findNearest, "application/json; charset=utf-8", badJson, ({ body }) => reasonInJson(body)],
    ["Connect binary", findNearest, "application/proto", badBinary, ({ body }) => reasonInJson(body)],
    ["a Connect stream of JSON", watchEvents, "application/connect+json", envelope(badCursor), ({ body }) => reasonInEndStream(body)],
    ["gRPC", findNearest, "application/grpc", envelope(badBinary), ({ trailers }) => reasonInTrailers(trailers)],
    ["gRPC with JSON", findNearest, "application/grpc+json", envelope(badJson), ({ trailers }) => reasonInTrailers(trailers)],
    ["gRPC-Web", findNearest, "application/grpc-web+proto", envelope(badBinary), ({ body }) => reasonInLastFrame(body)],
    ["gRPC-Web with JSON", findNearest, "application/grpc-web+json", envelope(badJson), ({ body }) => reasonInLastFrame(body)],
  ])("in %s", async (_name, path, contentType, body, reason) => {
    const { port } = await startTestGateway({ hasUnaryFastPath });
    const answer = await http2Request(port, { ":path": path, "content-type": contentType, te: "trailers" }, body);
    expect(reason(answer)).toBe("MALFORMED_MESSAGE");
  });

  test("over HTTP/1.1, whose connection then answers the next call", async () => {
    const { port } = await startTestGateway({ hasUnaryFastPath });
    const { socket, received } = await rawConnection(port);
    const head = (length: number) =>
      `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head(badJson.byteLength)), badJson]));
    await expect.poll(received).toMatch(/^HTTP\/1.1 400 .*MALFORMED_MESSAGE/s);
    socket.write(head(goodJson.length) + goodJson);
    await expect.poll(received).toContain("HTTP/1.1 200 OK");
  });
});

test.each([
  ["a byte that is not UTF-8", (json: string) => `encoding=json&message=${encodeURIComponent(json).replace("cafe", "caf%E9")}`],
  ["a broken escape", (json: string) => `encoding=json&message=${encodeURIComponent(json)}%zz`],
  ["half a character in another parameter", (json: string) => `encoding=json&message=${encodeURIComponent(json)}&x=%C3`],
  [
    "base64 of text that is not UTF-8",
    (json: string) => `encoding=json&base64=1&message=${Buffer.from(json.replace("cafe", "caf\xe9"), "latin1").toString("base64url")}`,
  ],
])("a query with %s is refused", async (_name, queryOf) => {
  const { baseUrl } = await startTestGateway();
  const query = queryOf(JSON.stringify({ ...goodRequest, operatorIds: ["cafe"] }));
  const response = await fetch(`${baseUrl}${findNearest}?${query}`);
  expect([response.status, reasonInJson(await response.text())]).toEqual([400, "MALFORMED_MESSAGE"]);
});

test("half of a surrogate pair, which JSON can escape, is refused", async () => {
  const { port } = await startTestGateway();
  const body = Buffer.from(`${goodJson.slice(0, -1)},"operatorIds":["caf\\ud800"]}`);
  const answer = await http2Request(port, { ":path": findNearest, "content-type": "application/json" }, body);
  expect([answer.status, reasonInJson(answer.body)]).toEqual([400, "MALFORMED_MESSAGE"]);
});

test("a request target with bytes beyond ASCII is refused", async () => {
  const { port } = await startTestGateway();
  const { socket, received } = await rawConnection(port);
  const message = goodJson.replaceAll('"', "%22");
  socket.write(Buffer.from(`GET ${findNearest}?encoding=json&message=${message}&x=\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n`, "latin1"));
  await expect.poll(received).toMatch(/^HTTP\/1.1 400 /);
});

describe("a request for two hosts, or by two callers, is refused", () => {
  test.each([
    ["a call", `POST ${findNearest} HTTP/1.1`],
    ["a page", "GET /livez HTTP/1.1"],
    ["a preflight request", `OPTIONS ${findNearest} HTTP/1.1`],
  ])("over HTTP/1.1: %s", async (_name, line) => {
    for (const second of ["host: b.test", "Host: a.test"]) {
      const { port } = await startTestGateway();
      const { socket, received, closed } = await rawConnection(port);
      const fields = ["Host: a.test", second, "Content-Type: application/json", `Content-Length: ${goodJson.length}`];
      socket.write(`${[line, ...fields].join("\r\n")}\r\n\r\n${goodJson}`);
      await expect.poll(received).toContain("HTTP/1.1 ");
      await closed;
      expect(received()).toMatch(/^HTTP\/1.1 400 .*MALFORMED_MESSAGE/s);
    }
  });

  test.each([
    ["a list of hosts", `POST ${findNearest} HTTP/1.1`, ["Host: a.test, b.test"]],
    ["a target at another host", `POST http://b.test${findNearest} HTTP/1.1`, ["Host: a.test"]],
    ["a page at another host", "GET http://b.test/livez HTTP/1.1", ["Host: a.test"]],
    ["a target with a user name", `POST http://a.test@b.test${findNearest} HTTP/1.1`, ["Host: b.test"]],
    ["two callers", `POST ${findNearest} HTTP/1.1`, ["Host: a.test", "Authorization: Bearer a", "authorization: Bearer b"]],
  ])("over HTTP/1.1, and so is one with %s", async (_name, line, names) => {
    const { port } = await startTestGateway();
    const { socket, received, closed } = await rawConnection(port);
    const fields = [...names, "Content-Type: application/json", `Content-Length: ${goodJson.length}`];
    socket.write(`${[line, ...fields].join("\r\n")}\r\n\r\n${goodJson}`);
    await expect.poll(received).toContain("HTTP/1.1 ");
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 400 .*MALFORMED_MESSAGE/s);
  });

  test("over HTTP/1.1, but not one whose target repeats its host", async () => {
    const { port } = await startTestGateway();
    const { socket, received } = await rawConnection(port);
    const head = `POST http://A.test${findNearest} HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: ${goodJson.length}`;
    socket.write(`${head}\r\n\r\n${goodJson}`);
    await expect.poll(received).toMatch(/^HTTP\/1.1 200 /);
  });

  test("over HTTP/2, where :authority and host disagree", async () => {
    const { port } = await startTestGateway();
    const ask = (path: string, headers: Record<string, string>) =>
      http2Request(port, { ":path": path, "content-type": "application/json", ...headers }, Buffer.from(goodJson));
    for (const path of [findNearest, `${findNearest}?a=b`, "/livez"]) {
      const refused = await ask(path, { ":authority": "a.test", host: "b.test" });
      expect([path, refused.status, reasonInJson(refused.body)]).toEqual([path, 400, "MALFORMED_MESSAGE"]);
    }
    expect((await ask(findNearest, { ":authority": "a.test", host: "A.test" })).status).toBe(200);
    expect((await ask(findNearest, { ":authority": "a.test" })).status).toBe(200);
  });
});
