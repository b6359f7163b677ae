import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { FindNearestRequestSchema } from "@petak/protocol";
import { roundsHere } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  envelope,
  http2Request,
  rawConnection,
  reasonInEndStream,
  reasonInJson,
  reasonInLastFrame,
  reasonInTrailers,
} from "./testing/raw-http.ts";
import { goodRequest, startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const watchEvents = "/petak.v1.CustodyService/WatchEvents";
const good = toBinary(FindNearestRequestSchema, create(FindNearestRequestSchema, goodRequest));
const goodJson = Buffer.from(JSON.stringify(goodRequest));
const tenMebibytes = Buffer.alloc(10 * 1024 * 1024, 0x20);
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));

/** Each protocol, with its content types, its framing of one message, and the place of its reason. */
const protocols = {
  connect: {
    binary: "application/proto",
    json: "application/json",
    path: findNearest,
    frame: (data: Uint8Array) => data,
    compression: "content-encoding",
    timeout: "connect-timeout-ms",
    reason: (answer: Answer) => reasonInJson(answer.body),
  },
  "connect-stream": {
    binary: "application/connect+proto",
    json: "application/connect+json",
    path: watchEvents,
    frame: envelope,
    compression: "connect-content-encoding",
    timeout: "connect-timeout-ms",
    reason: (answer: Answer) => reasonInEndStream(answer.body),
  },
  grpc: {
    binary: "application/grpc+proto",
    json: "application/grpc+json",
    path: findNearest,
    frame: envelope,
    compression: "grpc-encoding",
    timeout: "grpc-timeout",
    reason: (answer: Answer) => reasonInTrailers(answer.trailers),
  },
  "grpc-web": {
    binary: "application/grpc-web+proto",
    json: "application/grpc-web+json",
    path: findNearest,
    frame: envelope,
    compression: "grpc-encoding",
    timeout: "grpc-timeout",
    reason: (answer: Answer) => reasonInLastFrame(answer.body),
  },
};

type Answer = Awaited<ReturnType<typeof http2Request>>;

function send(
  gateway: TestGateway,
  path: string,
  contentType: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return http2Request(gateway.port, { ":path": path, "content-type": contentType, te: "trailers", ...headers }, body);
}

describe.each(Object.entries(protocols))("%s", (name, { binary, json, path, frame, compression, timeout, reason }) => {
  test("bytes that are not a message give MALFORMED_MESSAGE", async () => {
    const gateway = await startTestGateway();
    for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.from([0x0a, 0x7f, 1]), Buffer.alloc(40, 0xff)]) {
      expect(reason(await send(gateway, path, binary, frame(bytes)))).toBe("MALFORMED_MESSAGE");
    }
    for (const text of ["", "{", "[]", "null", '{"cursor":1,"limit":"x"}', '{"a\\ud800":1}', `{"${"k".repeat(100_000)}":1}`, "\xff\xfe"]) {
      const answer = await send(gateway, path, json, frame(Buffer.from(text, "latin1")));
      expect([text.slice(0, 40), reason(answer)]).toEqual([text.slice(0, 40), "MALFORMED_MESSAGE"]);
    }
    expect(gateway.lines.filter(({ reason: logged }) => logged === "INTERNAL")).toEqual([]);
  });

  test("an unsupported compression gives ENCODING_NOT_SUPPORTED, broken gzip MALFORMED_MESSAGE", async () => {
    const gateway = await startTestGateway();
    const data = name === "connect" ? good : envelope(good, 1);
    expect(reason(await send(gateway, path, binary, data, { [compression]: "br" }))).toBe("ENCODING_NOT_SUPPORTED");
    for (const bytes of [good, gzipSync(good).subarray(0, -5), Buffer.alloc(30)]) {
      const body = name === "connect" ? bytes : envelope(bytes, 1);
      expect(reason(await send(gateway, path, binary, body, { [compression]: "gzip" }))).toBe("MALFORMED_MESSAGE");
    }
  });

  test("a message that is too long, also only after decompression, gives MESSAGE_TOO_LARGE", async () => {
    const gateway = await startTestGateway();
    for (const headers of [{}, { "content-length": String(frame(tenMebibytes).byteLength) } as Record<string, string>]) {
      expect(reason(await send(gateway, path, json, frame(tenMebibytes), headers))).toBe("MESSAGE_TOO_LARGE");
    }
    const body = name === "connect" ? bomb : envelope(bomb, 1);
    expect(reason(await send(gateway, path, json, body, { [compression]: "gzip" }))).toBe("MESSAGE_TOO_LARGE");
  });

  test("an invalid deadline gives MALFORMED_MESSAGE", async () => {
    const gateway = await startTestGateway();
    for (const value of ["soon", "-1", "1e3", "99999999999", ""]) {
      expect(
        reason(await send(gateway, path, binary, frame(name === "connect-stream" ? Buffer.alloc(0) : good), { [timeout]: value })),
      ).toBe("MALFORMED_MESSAGE");
    }
  });

  test("a method that does not exist gives METHOD_NOT_FOUND", async () => {
    const gateway = await startTestGateway();
    const answer = await send(gateway, "/petak.v1.DirectoryService/Nothing", binary, frame(good));
    expect(reason(answer)).toBe("METHOD_NOT_FOUND");
    expect(answer.status).toBe(name === "connect" ? 404 : 200);
  });

  test("random bytes are answered with a reason that blames the caller, and the gateway continues to work", async () => {
    const gateway = await startTestGateway();
    const seed = Number(process.env.PETAK_TEST_SEED ?? 20261124);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), fc.boolean(), async (bytes, asJson, framed) => {
        const body = framed ? frame(bytes) : bytes;
        const answer = await send(gateway, path, asJson ? json : binary, body);
        // Some of these are valid: in binary, a message may have unknown fields.
        expect([undefined, "MALFORMED_MESSAGE", "MESSAGE_TOO_LARGE", "INVALID_FIELD"]).toContain(
          name === "connect" && answer.status === 200 ? undefined : reason(answer),
        );
      }),
      { numRuns: roundsHere({ short: 50, ci: 150 }), seed },
    );
    expect(gateway.lines.filter(({ reason: logged, msg }) => logged === "INTERNAL" || msg === "defect")).toEqual([]);
    const again = await send(gateway, findNearest, "application/json", goodJson);
    expect(again.status).toBe(200);
  });
});

describe("envelopes", () => {
  test.each(["connect-stream", "grpc", "grpc-web"] as const)(
    "%s: a truncated envelope, none and two give MALFORMED_MESSAGE",
    async (name) => {
      const gateway = await startTestGateway();
      const { binary, path, reason } = protocols[name];
      const message = name === "connect-stream" ? Buffer.from([0x0a, 0x01, 0x61]) : good;
      const whole = envelope(message);
      for (const body of [
        new Uint8Array(),
        whole.subarray(0, 3),
        whole.subarray(0, -1),
        Buffer.concat([whole, whole]),
        Buffer.concat([whole, whole.subarray(0, 2)]),
      ]) {
        expect([body.byteLength, reason(await send(gateway, path, binary, body))]).toEqual([body.byteLength, "MALFORMED_MESSAGE"]);
      }
    },
  );
});

describe("plain Connect", () => {
  test("names the field that the parser names", async () => {
    const { baseUrl } = await startTestGateway();
    const ask = async (body: string) => {
      const response = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers: { "content-type": "application/json" }, body });
      expect(response.status).toBe(400);
      const { details } = (await response.json()) as { details: { debug: { fieldViolations?: { field: string }[] } }[] };
      return details.flatMap(({ debug }) => debug.fieldViolations?.map(({ field }) => field) ?? []);
    };
    expect(await ask('{"radius":5}')).toEqual(["radius"]);
    expect(await ask('{"limit":"many"}')).toEqual(["limit"]);
    expect(await ask('{"origin":{"latitude":"north"}}')).toEqual(["latitude"]);
    // For an unknown value the parser names the enum, not the field.
    expect(await ask('{"purpose":"PURPOSE_TO_BE_SEEN"}')).toEqual([]);
  });

  test("answers a wrong content type with 415 and names the accepted ones", async () => {
    const { baseUrl } = await startTestGateway();
    for (const type of [
      "text/plain",
      "application/xml",
      "application/grpc-web-text",
      "application/connect+json",
      "application/json; charset=latin1",
    ]) {
      const response = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers: { "content-type": type }, body: "{}" });
      expect([type, response.status]).toEqual([type, 415]);
      expect(response.headers.get("accept-post")).toBe("application/json, application/proto, application/grpc, application/grpc-web");
      expect(reasonInJson(await response.text())).toBe("ENCODING_NOT_SUPPORTED");
    }
  });

  test("answers a wrong HTTP method with 405 and names the accepted ones", async () => {
    const { baseUrl } = await startTestGateway();
    const put = await fetch(`${baseUrl}${findNearest}`, { method: "PUT", body: "{}" });
    expect([put.status, put.headers.get("allow"), reasonInJson(await put.text())]).toEqual([405, "POST, GET", "METHOD_NOT_FOUND"]);
    const get = await fetch(`${baseUrl}/petak.v1.DirectoryService/UpsertSites`);
    expect([get.status, get.headers.get("allow"), reasonInJson(await get.text())]).toEqual([405, "POST", "METHOD_NOT_FOUND"]);
  });

  test("answers a GET whose message cannot be read", async () => {
    const { baseUrl } = await startTestGateway();
    const ask = async (query: string) => {
      const response = await fetch(`${baseUrl}${findNearest}?${query}`);
      return [response.status, reasonInJson(await response.text())];
    };
    expect(await ask("encoding=json&message=%7B")).toEqual([400, "MALFORMED_MESSAGE"]);
    expect(await ask("encoding=proto&base64=1&message=!!!")).toEqual([400, "MALFORMED_MESSAGE"]);
    expect(await ask("")).toEqual([415, "ENCODING_NOT_SUPPORTED"]);
    const ok = await fetch(`${baseUrl}${findNearest}?encoding=json&message=${encodeURIComponent(goodJson.toString())}`);
    expect(ok.status).toBe(200);
  });

  test("answers a declared length above the limit before the body arrives, and keeps the connection", async () => {
    const { port } = await startTestGateway();
    const { socket, received } = await rawConnection(port);
    socket.write(
      `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${tenMebibytes.byteLength}\r\n\r\n`,
    );
    await expect.poll(received).toMatch(/^HTTP\/1.1 400 /);
    socket.write(tenMebibytes);
    socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    await expect.poll(received).toContain('{"status":"live"}');
  });

  test("does not ask for a body that it would refuse", async () => {
    const { port } = await startTestGateway();
    const head = (length: number) =>
      `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    const refused = await rawConnection(port);
    refused.socket.write(head(tenMebibytes.byteLength));
    await refused.closed;
    expect(refused.received()).toMatch(/^HTTP\/1.1 400 /);
    const asked = await rawConnection(port);
    asked.socket.write(head(goodJson.byteLength));
    await expect.poll(asked.received).toMatch(/^HTTP\/1.1 100 Continue/);
    asked.socket.write(goodJson);
    await expect.poll(asked.received).toContain("HTTP/1.1 200 OK");
  });

  test("answers fetch with a body of 10 MiB, chunked or of a declared length", async () => {
    const { baseUrl } = await startTestGateway();
    const headers = { "content-type": "application/json" };
    const declared = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers, body: tenMebibytes });
    expect([declared.status, reasonInJson(await declared.text())]).toEqual([400, "MESSAGE_TOO_LARGE"]);
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < 160; at += 1) controller.enqueue(tenMebibytes.subarray(0, 65_536));
        controller.close();
      },
    });
    const chunked = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers, body, duplex: "half" } as RequestInit);
    expect([chunked.status, reasonInJson(await chunked.text())]).toEqual([400, "MESSAGE_TOO_LARGE"]);
  });

  test("accepts any Host header, and answers MALFORMED_MESSAGE to a request target that is not a URL", async () => {
    const { port } = await startTestGateway();
    const { socket, received, closed } = await rawConnection(port);
    socket.write(
      `POST ${findNearest} HTTP/1.1\r\nHost: a b%\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 400 /);
    expect(reasonInJson(received().split("\r\n\r\n")[1] ?? "")).toBe("INVALID_FIELD");
    const other = await rawConnection(port);
    other.socket.write(`POST http://%${findNearest} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    await other.closed;
    expect(other.received()).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(reasonInJson(other.received().split("\r\n\r\n")[1] ?? "")).toMatch(/^(MALFORMED_MESSAGE|METHOD_NOT_FOUND)$/);
  });

  test("answers gRPC over HTTP/1.1 with an error that says that it requires HTTP/2", async () => {
    const { baseUrl } = await startTestGateway();
    const ask = async (path: string) => {
      const headers = { "content-type": "application/grpc+proto", te: "trailers" };
      const response = await fetch(`${baseUrl}${path}`, { method: "POST", headers, body: Buffer.from(envelope(good)) });
      return [response.status, reasonInJson(await response.text())];
    };
    expect(await ask(findNearest)).toEqual([505, "ENCODING_NOT_SUPPORTED"]);
    expect(await ask(watchEvents)).toEqual([505, "ENCODING_NOT_SUPPORTED"]);
    expect(await ask("/petak.v1.DirectoryService/Nothing")).toEqual([404, "METHOD_NOT_FOUND"]);
  });

  test("answers bidirectional streams over HTTP/1.1 with an error that says that they require HTTP/2", async () => {
    const { baseUrl } = await startTestGateway();
    const response = await fetch(`${baseUrl}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: "",
    });
    expect([response.status, reasonInJson(await response.text())]).toEqual([505, "ENCODING_NOT_SUPPORTED"]);
  });
});

test.each([
  ["objects", `{"sites":[${"{},".repeat(30_000)}{}]}`],
  ["values", `{"operatorIds":[${'"",'.repeat(90_000)}""]}`],
])("a message of %s that take long to parse is refused before it is parsed", async (_what, message) => {
  const { baseUrl } = await startTestGateway();
  const response = await fetch(`${baseUrl}${findNearest}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: message,
  });
  expect([response.status, reasonInJson(await response.text())]).toEqual([400, "MESSAGE_TOO_LARGE"]);
});
