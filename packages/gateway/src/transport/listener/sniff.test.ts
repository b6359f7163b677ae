import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { rawConnection, reasonInJson } from "../testing/raw-http.ts";
import { startTestGateway } from "../testing/test-gateway.ts";
import { httpVersionOf } from "./sniff.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const get = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

describe("httpVersionOf", () => {
  test("returns HTTP/2 only for the whole preface", () => {
    for (let length = 0; length < preface.byteLength; length += 1) expect(httpVersionOf(preface.subarray(0, length))).toBeUndefined();
    expect(httpVersionOf(preface)).toBe("http2");
    expect(httpVersionOf(Buffer.concat([preface, Buffer.alloc(9)]))).toBe("http2");
  });

  test("returns HTTP/1.1 as soon as a byte differs", () => {
    for (let at = 0; at < preface.byteLength; at += 1) {
      const bytes = Buffer.from(preface.subarray(0, at + 1));
      bytes.writeUInt8(0, at);
      expect(httpVersionOf(bytes)).toBe("http1");
    }
    expect(httpVersionOf(Buffer.from("PRINT"))).toBe("http1");
  });
});

describe("a connection in cleartext", () => {
  test.each([1, 2, 3, 5])("speaks HTTP/1.1 if its bytes arrive in pieces of %i", async (size) => {
    const { port } = await startTestGateway();
    const { socket, received, closed } = await rawConnection(port);
    socket.setNoDelay(true);
    for (let at = 0; at < get.length; at += size) await written(socket, get.slice(at, at + size));
    await closed;
    expect(received()).toContain("HTTP/1.1 200 OK");
    expect(received()).toContain('{"status":"live"}');
  });

  test.each([1, 2, 3, 23])("speaks HTTP/2 if the preface arrives in pieces of %i bytes", async (size) => {
    const { port } = await startTestGateway();
    const { socket } = await rawConnection(port);
    socket.setNoDelay(true);
    socket.removeAllListeners("data");
    const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => inPieces(socket, size) });
    expect(await statusOf(session, "/livez")).toBe(200);
    session.destroy();
  });

  test("is answered with 400 and a reason if it sends garbage", async () => {
    const { port } = await startTestGateway();
    for (const garbage of [
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
      "\0\0\0\0\0\0\0\0",
      "\r\n\r\nhello\r\n\r\n",
    ]) {
      const { socket, received, closed } = await rawConnection(port);
      socket.write(garbage, "latin1");
      await closed;
      expect(received()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
      expect(reasonInJson(received().split("\r\n\r\n")[1] ?? "")).toBe("MALFORMED_MESSAGE");
    }
  });

  test("is closed if it sends nothing, or half of the preface, in time", async () => {
    const { port, metrics } = await startTestGateway({ serverLimits: { sniffTimeoutMs: 50 } });
    const silent = await rawConnection(port);
    const halting = await rawConnection(port);
    halting.socket.write(preface.subarray(0, 10));
    await Promise.all([silent.closed, halting.closed]);
    expect([silent.received(), halting.received()]).toEqual(["", ""]);
    await expect.poll(async () => (await metrics.connections.get()).values[0]?.value).toBe(0);
  });

  test("is closed if the client ends its side before its protocol is known", async () => {
    const { port } = await startTestGateway();
    const { socket, closed } = await rawConnection(port);
    socket.end(preface.subarray(0, 3));
    await closed;
  });

  test("is closed if an HTTP/2 client ends it without GOAWAY", async () => {
    const { port, metrics } = await startTestGateway();
    const { socket, received, closed } = await rawConnection(port);
    socket.write(Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]));
    await expect.poll(received).not.toBe("");
    socket.end();
    await closed;
    await expect.poll(async () => (await metrics.connections.get()).values[0]?.value).toBe(0);
  });

  test("is closed if its HTTP/1.1 headers do not end in time", async () => {
    const { port } = await startTestGateway({ serverLimits: { headersTimeoutMs: 100 } });
    const { socket, received, closed } = await rawConnection(port);
    socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n");
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 408 /);
    expect(reasonInJson(received().split("\r\n\r\n")[1] ?? "")).toBe("DEADLINE_EXCEEDED");
  });

  test("is answered with 431 if its headers are too long", async () => {
    const { port } = await startTestGateway();
    const { socket, received, closed } = await rawConnection(port);
    socket.write(`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    await closed;
    expect(received()).toMatch(/^HTTP\/1.1 431 /);
  });

  test("beyond the limit is refused, and the others continue", async () => {
    const { port, baseUrl } = await startTestGateway({ serverLimits: { maxConnections: 1 } });
    const first = await rawConnection(port);
    const second = await rawConnection(port);
    await second.closed;
    first.socket.destroy();
    await expect
      .poll(() =>
        fetch(`${baseUrl}/livez`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

function written(socket: Duplex, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(data, () => setImmediate(resolve));
  });
}

/** A duplex that sends the first 40 bytes in pieces, each in its own segment. */
function inPieces(socket: Duplex, size: number): Duplex {
  let sent = 0;
  const duplex = new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.byteLength; ) {
        const length = sent < 40 ? size : chunk.byteLength;
        await written(socket, chunk.subarray(at, at + length));
        sent += length;
        at += length;
      }
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk) => duplex.push(chunk));
  return duplex;
}

async function statusOf(session: ClientHttp2Session, path: string): Promise<number | undefined> {
  const stream = session.request({ ":path": path });
  const [headers] = (await once(stream, "response")) as [{ ":status"?: number }];
  stream.resume();
  return headers[":status"];
}
