/**
 * The courier and the checkout whose calls are measured: `others.ts <seconds>`, with the {@link FairnessFacts} by stdin. Each makes a call when the
 * one before is answered and its pause is over, as somebody does who has work and no hurry. Their first calls, with which they connect and show their
 * tokens, are not counted. Prints an {@link OthersResult}.
 */
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { type Connection, cancelBytes, findBytes, openConnection, reserveBytes } from "./calls.ts";
import type { FairnessFacts, Latencies, OthersResult } from "./traffic-kinds.ts";

const [seconds = "4"] = process.argv.slice(2);
const facts = (await json(process.stdin)) as FairnessFacts;

/** The pause of each client between two calls, in ms, and the clients of each kind. */
const pauseMs = 15;
const clients = 4;

let endMs = Number.POSITIVE_INFINITY;
const found: Record<keyof OthersResult, { ms: number[]; refused: number }> = {
  reserve: { ms: [], refused: 0 },
  find: { ms: [], refused: 0 },
};

async function timed(what: keyof OthersResult, send: () => Promise<{ status: number; body: string }>): Promise<string> {
  const beganMs = performance.now();
  const { status, body } = await send();
  found[what].ms.push(performance.now() - beganMs);
  if (status !== 200) found[what].refused += 1;
  return body;
}

async function reserve(connection: Connection): Promise<void> {
  while (performance.now() < endMs) {
    const body = await timed("reserve", () => connection.send(reserveBytes(facts.courier)));
    const held = /"reservationId":"([^"]+)"/.exec(body)?.[1];
    // Or the holds of a long run would use up what one courier may hold.
    if (held !== undefined) await connection.send(cancelBytes(facts.courier, held));
    await pause(pauseMs);
  }
  connection.close();
}

async function find(connection: Connection): Promise<void> {
  while (performance.now() < endMs) {
    await timed("find", () => connection.send(findBytes(facts.checkout)));
    await pause(pauseMs);
  }
  connection.close();
}

function latenciesOf({ ms, refused }: { ms: number[]; refused: number }): Latencies {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), calls: ms.length, refused };
}

/** Opens the connections of one kind of client, and makes a call over each. */
async function connected(authorization: string): Promise<Connection[]> {
  const connections = Array.from({ length: clients }, () => openConnection(facts.port, "127.0.0.1"));
  await Promise.all(connections.map((connection) => connection.send(findBytes(authorization))));
  return connections;
}

const [couriers, checkouts] = await Promise.all([connected(facts.courier), connected(facts.checkout)]);
endMs = performance.now() + Number(seconds) * 1000;
await Promise.all([...couriers.map(reserve), ...checkouts.map(find)]);
const result: OthersResult = { reserve: latenciesOf(found.reserve), find: latenciesOf(found.find) };
process.stdout.write(`${JSON.stringify(result)}\n`);
