import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import ipaddr from "ipaddr.js";
import { expect, onTestFinished, test } from "vitest";
import { goodRequest, startTestGateway } from "../testing/test-gateway.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const emptySettings = "\0\0\0\x04\0\0\0\0\0";
const body = JSON.stringify(goodRequest);
const call = `POST /petak.v1.DirectoryService/FindNearest HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: caller\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

interface Opened {
  socket: Socket;
  received(): string;
  closed: Promise<void>;
}

/** Opens a connection, from an address of this machine, and sends something. */
async function open(
  port: number,
  { from = "127.0.0.1", tls, sends = "" }: { from?: string; tls?: string; sends?: string } = {},
): Promise<Opened> {
  const socket =
    tls === undefined
      ? connect({ port, host: "127.0.0.1", localAddress: from })
      : connectTls({ port, host: "127.0.0.1", ALPNProtocols: [tls], rejectUnauthorized: false });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  onTestFinished(() => void socket.destroy());
  const connected = new Promise<void>((resolve) => socket.once(tls === undefined ? "connect" : "secureConnect", () => resolve()));
  await Promise.race([connected, closed]);
  socket.write(sends, "latin1");
  return { socket, received: () => text, closed };
}

/** Whether a connection gets an answer before it is closed. */
async function isAnswered({ received, closed }: Opened): Promise<boolean> {
  const answered = expect
    .poll(received)
    .toMatch(/^HTTP\/1.1 200/)
    .then(() => true);
  answered.catch(() => {});
  return await Promise.race([answered, closed.then(() => received().startsWith("HTTP/1.1 200"))]);
}

async function answers(port: number, from: string, sends: string): Promise<boolean> {
  const connection = await open(port, { from, sends });
  const hasAnswer = await isAnswered(connection);
  connection.socket.destroy();
  await connection.closed;
  return hasAnswer;
}

test.each([false, true])("connections without a valid call are closed soon, whatever they speak (TLS: %s)", async (isTls) => {
  const { port } = await startTestGateway({ tls: isTls, serverLimits: { firstCallTimeoutMs: 300 } });
  const tls = (protocol: string) => (isTls ? { tls: protocol } : {});
  let known = await open(port, { ...tls("http/1.1"), sends: call });
  // On a busy machine the time may be over before the call has come.
  while (!(await isAnswered(known))) known = await open(port, { ...tls("http/1.1"), sends: call });
  const silent = [
    await open(port, { ...tls("h2"), sends: preface }),
    await open(port, { ...tls("h2"), sends: preface + emptySettings }),
    await open(port, { ...tls("http/1.1") }),
    await open(port, { ...tls("http/1.1"), sends: "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" }),
    await open(port, { ...tls("http/1.1"), sends: "GET /nothing HTTP/1.1\r\nHost: a\r\n" }),
  ];
  await Promise.all(silent.map(({ closed }) => closed));
  known.socket.write(call);
  await expect.poll(() => known.received().match(/200 OK/g)?.length).toBe(2);
});

test("one address gets a part of the connections, and further ones for health checks only", async () => {
  const { port, metrics } = await startTestGateway({
    serverLimits: { maxConnections: 8, healthConnections: 2, firstCallTimeoutMs: 600_000 },
  });
  const readyz = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
  const held = [];
  for (let count = 0; count < 4; count += 1) held.push(await open(port, { sends: preface + emptySettings }));
  // The attacker also fills the places for health checks, again and again.
  await Promise.all(Array.from({ length: 10 }, () => open(port, { sends: preface })));
  expect(await answers(port, "127.0.0.1", readyz)).toBe(true);
  expect(await answers(port, "127.0.0.1", call)).toBe(false);
  expect(await answers(port, "127.0.0.2", call)).toBe(true);
  expect(await answers(port, "127.0.0.1", readyz)).toBe(true);
  const { values } = await metrics.connectionsClosed.get();
  expect(values.find(({ labels }) => labels.reason === "full")?.value).toBeGreaterThanOrEqual(8);
  held[0]?.socket.destroy();
  await expect.poll(() => answers(port, "127.0.0.1", call)).toBe(true);
});

test("when the port is full, idle connections give way, those without a caller first", async () => {
  const { port } = await startTestGateway({ serverLimits: { maxConnections: 4, healthConnections: 0 } });
  const known = await open(port, { from: "127.0.0.1", sends: call });
  await expect.poll(known.received).toContain("200 OK");
  const unknown = await open(port, { from: "127.0.0.1" });
  for (const from of ["127.0.0.2", "127.0.0.3"]) await open(port, { from });
  expect(await answers(port, "127.0.0.4", call)).toBe(true);
  await unknown.closed;
  known.socket.write(call);
  await expect.poll(() => known.received().match(/200 OK/g)?.length).toBe(2);
});

test("a trusted proxy may have all connections", async () => {
  const trustedProxies = { networks: [ipaddr.parseCIDR("127.0.0.1/32")], header: "x-forwarded-for" } as const;
  const { port } = await startTestGateway({ serverLimits: { maxConnections: 8, healthConnections: 0, trustedProxies } });
  const opened = [];
  for (let count = 0; count < 8; count += 1) opened.push(await open(port, { sends: call }));
  for (const { received } of opened) await expect.poll(received).toContain("200 OK");
});
