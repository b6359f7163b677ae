/**
 * Makes traffic until it is told to end: `traffic.ts <kind> hostile`, or `traffic.ts <kind> harmless <requests a second>`, with the
 * {@link FairnessFacts} by stdin. Prints a line when all its connections have been used once, and a {@link TrafficResult} at SIGTERM.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { callBytes, findBytes, openConnection } from "./calls.ts";
import { connectionsOf, type FairnessFacts, type TrafficKind, type TrafficResult } from "./traffic-kinds.ts";

const [kindName = "calls", side = "hostile", rate = "0"] = process.argv.slice(2);
const kind = kindName as TrafficKind;
const isHostile = side === "hostile";
const facts = (await json(process.stdin)) as FairnessFacts;
const count = connectionsOf[kind];

/** The address of everything hostile. Harmless couriers have one each. */
const hostileAddress = "127.0.0.2";
const harmlessAddress = (courier: number): string => `127.0.1.${courier + 1}`;

let requests = 0;
let isEnding = false;
let readyCount = 0;
let beganMs = performance.now();

function oneReady(): void {
  readyCount += 1;
  if (readyCount !== count) return;
  requests = 0;
  beganMs = performance.now();
  process.stdout.write("ready\n");
}

process.once("SIGTERM", () => {
  isEnding = true;
  const result: TrafficResult = { requestsPerSecond: requests / ((performance.now() - beganMs) / 1000) };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});

/** What a hostile connection sends next. */
function hostileBytes(): Buffer {
  if (kind === "calls") return findBytes(facts.hostile);
  const token = kind === "garbage" ? randomBytes(120).toString("base64url") : forgedToken();
  return callBytes("DirectoryService/FindNearest", `Bearer ${token}`, {});
}

function forgedToken(): string {
  const { participantId, keyId, audience } = facts.courierKey;
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: participantId, aud: audience, iat: now, exp: now + 300, jti: randomBytes(8).toString("hex") };
  const signed = `${part({ alg: "EdDSA", typ: "petak-request+jwt", kid: keyId })}.${part(claims)}`;
  return `${signed}.${randomBytes(64).toString("base64url")}`;
}

/** Sends without a pause. */
async function sendHostile(): Promise<void> {
  const connection = openConnection(facts.port, hostileAddress);
  await connection.send(hostileBytes());
  oneReady();
  while (!isEnding) {
    await connection.send(hostileBytes());
    requests += 1;
  }
}

/** Sends valid calls of one of the harmless couriers, so that all together keep the rate. */
async function sendHarmless(index: number): Promise<void> {
  const courier = index % facts.harmless.length;
  const authorization = facts.harmless[courier] ?? "";
  const connection = openConnection(facts.port, harmlessAddress(courier));
  await connection.send(findBytes(authorization));
  oneReady();
  const everyMs = (1000 * count) / Number(rate);
  if (!Number.isFinite(everyMs)) return;
  for (let dueMs = performance.now() + Math.random() * everyMs; !isEnding; dueMs += everyMs) {
    await pause(Math.max(0, dueMs - performance.now()));
    await connection.send(findBytes(authorization));
    requests += 1;
  }
}

/** The pause before a connection that was closed is opened again, in ms: 3,000 that knock without a pause would measure the kernel. */
const reopenPrefaceMs = 1000;

/** Sends the preface of HTTP/2 and nothing else, again whenever the connection is closed. */
function holdPreface(): void {
  const open = (): void => {
    const socket: Socket = connect({ port: facts.port, host: "127.0.0.1", localAddress: hostileAddress });
    socket.on("error", () => {});
    socket.once("connect", () => {
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    });
    socket.resume();
    socket.once("close", () => {
      requests += 1;
      setTimeout(open, reopenPrefaceMs);
    });
  };
  open();
  oneReady();
}

for (let index = 0; index < count; index += 1) {
  if (!isHostile) void sendHarmless(index);
  else if (kind === "prefaces") holdPreface();
  else void sendHostile();
  // Not more at once than the queue of a listening socket holds.
  if (index % 100 === 99) await pause(20);
}
