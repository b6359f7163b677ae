import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { get, type RequestOptions } from "node:https";
import { type ConnectionOptions, connect } from "node:tls";
import { otherTestCertificate, otherTestKey, testCertificate, testKey } from "@petak/testkit";
import { expect, test } from "vitest";
import { startTestGateway } from "../testing/test-gateway.ts";

const trusted = { host: "127.0.0.1", ca: [testCertificate, otherTestCertificate] };

/** Completes a handshake. @returns the version of TLS and the subject's serial number */
async function handshake(port: number, options: ConnectionOptions = {}): Promise<{ version: string | null; serial: string }> {
  const socket = connect({ ...trusted, port, ...options });
  try {
    await once(socket, "secureConnect");
    return { version: socket.getProtocol(), serial: socket.getPeerCertificate().serialNumber };
  } finally {
    socket.destroy();
  }
}

test("a client gets TLS 1.3, or 1.2 if it has no other, and nothing older", async () => {
  const { port } = await startTestGateway({ tls: true });
  expect((await handshake(port)).version).toBe("TLSv1.3");
  expect((await handshake(port, { maxVersion: "TLSv1.2" })).version).toBe("TLSv1.2");
  // OpenSSL itself offers older versions only with this cipher setting.
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await expect(handshake(port, old)).rejects.toThrow(/alert protocol version/);
});

test("a new certificate is for new connections, and those that are open go on", async () => {
  const { port, server, baseUrl } = await startTestGateway({ tls: true });
  const session = connectHttp2(baseUrl, { ca: testCertificate });
  await once(session, "connect");
  const before = await handshake(port);
  server.replaceTls({ cert: otherTestCertificate, key: otherTestKey });
  const after = await handshake(port);
  expect(after.serial).not.toBe(before.serial);
  const stream = session.request({ ":path": "/livez" });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(headers[":status"]).toBe(200);
  session.destroy();
});

test.each([
  ["a key of another certificate", { cert: otherTestCertificate, key: testKey }],
  ["no certificate", { cert: "", key: testKey }],
  ["no authority of clients", { cert: testCertificate, key: testKey, clientCa: "" }],
  ["bytes that are no key", { cert: testCertificate, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }],
])("with %s, the server goes on with what it had", async (_what, broken) => {
  const { port, server } = await startTestGateway({ tls: true });
  const before = await handshake(port);
  expect(() => server.replaceTls(broken)).toThrow(/^The TLS certificate or key cannot be used: /);
  expect(await handshake(port)).toEqual(before);
});

test("with an authority of clients, only a client with its certificate is heard, over both versions of HTTP", async () => {
  const tls = { cert: testCertificate, key: testKey, clientCa: otherTestCertificate };
  const { port, baseUrl } = await startTestGateway({ tls });
  const known = { cert: otherTestCertificate, key: otherTestKey };
  expect(await statusOf(port, known)).toBe(200);
  expect(await isHeardOverHttp2(baseUrl, known)).toBe(true);
  for (const unknown of [{}, { cert: testCertificate, key: testKey }]) {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) await expect(statusOf(port, { ...unknown, maxVersion })).rejects.toThrow();
    expect(await isHeardOverHttp2(baseUrl, unknown)).toBe(false);
  }
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "over %s, a client of an authority that was replaced cannot resume its session",
  async (maxVersion) => {
    const { port, server } = await startTestGateway({ tls: { cert: testCertificate, key: testKey, clientCa: otherTestCertificate } });
    const known = { cert: otherTestCertificate, key: otherTestKey, maxVersion };
    const { session } = await ask(port, known);
    expect(await ask(port, { ...known, session })).toMatchObject({ isHeard: true, isResumed: true });
    server.replaceTls({ cert: testCertificate, key: testKey, clientCa: testCertificate });
    expect(await ask(port, { ...known, session })).toMatchObject({ isHeard: false });
  },
);

/** Sends a request on a connection of its own. @returns whether it was answered, by which kind of session, and the session to resume */
async function ask(port: number, options: ConnectionOptions) {
  const socket = connect({ ...trusted, port, ...options });
  let session = Buffer.alloc(0);
  socket.on("session", (given: Buffer<ArrayBuffer>) => {
    session = given;
  });
  // A refusal has several looks.
  socket.on("error", () => {});
  socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const isHeard = await new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
  const isResumed = socket.isSessionReused();
  socket.destroy();
  return { isHeard, isResumed, session };
}

/** Whether a client gets an answer before its connection is closed. */
async function isHeardOverHttp2(baseUrl: string, options: ConnectionOptions): Promise<boolean> {
  const session = connectHttp2(baseUrl, { ca: testCertificate, ...options });
  // How a refusal looks depends on what the client has sent by then: an alert, a reset, or an end.
  session.on("error", () => {});
  const stream = session.request({ ":path": "/livez" });
  stream.on("error", () => {});
  const heard = await new Promise<boolean>((resolve) => {
    stream.once("response", () => resolve(true));
    stream.once("close", () => resolve(false));
  });
  session.destroy();
  return heard;
}

function statusOf(port: number, options: RequestOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get({ ...trusted, port, path: "/livez", agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
  });
}
