/**
 * Sends requests in turn at a rate that is kept whatever the answers: `paced-client.ts <port> <rate> <seconds> <even|random> <connections>`, the
 * requests by stdin as a JSON array of base64. Prints a {@link PacedResult} as JSON.
 *
 * A request goes out when it is due, not in bursts of a timer: the client spins, and so takes a core of its own. Where all connections wait for an
 * answer it waits for one to be free, and its time counts from when it was due.
 *
 * Whatever stops this process is counted as the server's time. So it reads into memory that it has from the beginning, and is started with
 * `pacedClientFlags`, with which its collections are short.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { json } from "node:stream/consumers";
import { type Arrivals, arrivalTimes } from "./arrivals.ts";
import type { PacedResult } from "./generators.ts";
import { createHttpAnswers } from "./http-answers.ts";

const [port, rate, seconds, arrivals, connections] = process.argv.slice(2);
const requests = ((await json(process.stdin)) as string[]).map((base64) => Buffer.from(base64, "base64"));

/** A connection, when the request that it waits for was due, and when it had its last answer. */
interface Connection {
  socket: Socket;
  dueMs: number;
  freeMs: number;
}

/** Requests before this time are answered and not counted: client and server get used to each other. */
const warmUpMs = 500;

/** Room for what one read brings, in bytes. */
const readBytes = 64 * 1024;

const due = arrivalTimes(arrivals as Arrivals, Number(rate), Number(seconds) + warmUpMs / 1000, Math.random);
const latenciesUs = new Float64Array(due.length);
const latenessUs = new Float64Array(due.length);
let sent = 0;
let answered = 0;
let counted = 0;
let beganMs = Number.POSITIVE_INFINITY;
let countedFromMs = Number.POSITIVE_INFINITY;
let failed = 0;
const idle: Connection[] = [];

async function openConnection(): Promise<Connection> {
  const answers = createHttpAnswers((status) => {
    connection.freeMs = performance.now();
    if (connection.dueMs >= countedFromMs) latenciesUs[counted++] = (connection.freeMs - connection.dueMs) * 1000;
    answered += 1;
    if (status !== 200) failed += 1;
    idle.push(connection);
  });
  const read = Buffer.alloc(readBytes);
  const socket = connect({
    port: Number(port),
    host: "127.0.0.1",
    onread: {
      buffer: read,
      callback(byteCount) {
        answers.take(read, byteCount);
        return true;
      },
    },
  });
  const connection: Connection = { socket, dueMs: 0, freeMs: 0 };
  socket.setNoDelay(true);
  await once(socket, "connect");
  socket.on("close", () => {
    if (answered < due.length) throw new Error("the server closed a connection");
  });
  return connection;
}

/** Sends what is due, as far as there are connections. */
function sendDue(): void {
  for (let connection = idle.at(-1); sent < due.length && connection !== undefined; connection = idle.at(-1)) {
    const dueMs = beganMs + (due[sent] as number);
    const nowMs = performance.now();
    if (nowMs < dueMs) return;
    idle.pop();
    connection.dueMs = dueMs;
    connection.socket.write(requests[sent % requests.length] as Buffer);
    // What it waited for a connection is the server's doing.
    latenessUs[sent++] = (nowMs - Math.max(dueMs, connection.freeMs)) * 1000;
  }
}

function spin(): void {
  sendDue();
  if (answered < due.length) setImmediate(spin);
  else report();
}

function report(): void {
  const tookSeconds = (performance.now() - beganMs) / 1000;
  const result: PacedResult = {
    requestsPerSecond: answered / tookSeconds,
    failed,
    p50Us: shareOf(latenciesUs.subarray(0, counted), 0.5),
    p99Us: shareOf(latenciesUs.subarray(0, counted), 0.99),
    lateP99Us: shareOf(latenessUs, 0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

function shareOf(values: Float64Array, share: number): number {
  return values.toSorted()[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

for (let number = 0; number < Number(connections); number++) idle.push(await openConnection());
beganMs = performance.now();
countedFromMs = beganMs + warmUpMs;
spin();
