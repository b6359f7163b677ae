/**
 * Runs whole lives in PostgreSQL, with prepared statements over a pool of sessions, one transaction for each act: `postgres-lives.ts
 * <folder of the socket> <clients> <seconds> <off|on> <sites>`. Prints a {@link LifeRun} as JSON.
 */
import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { connectPostgres } from "../allocator/peers/postgres-server.ts";
import { eventsOfLife } from "./levels.ts";
import { runLives } from "./lives.ts";
import { pollListener } from "./poll-listener.ts";
import { statements } from "./postgres-schema.ts";

/** Sessions at most: PostgreSQL has a process for each, and more make it slower on two cores. */
const sessionsMax = 32;

const [socketDir = "", clients = "1", seconds = "1", synchronousCommit = "on"] = process.argv.slice(2);
const participantId = "par_0000000000000002";
const fingerprint = Buffer.alloc(16, 1);
const answer = Buffer.alloc(180, 1);
const credentialHash = "rX8mC3sWm3m0tGq3cE2Qf0a3m8dV0cXyPpQmS0b1n2A";

const sessions = await Promise.all(
  Array.from({ length: Math.min(sessionsMax, Number(clients)) }, async () => {
    const session = await connectPostgres(socketDir);
    await session.query(`SET synchronous_commit = ${synchronousCommit}`);
    return session;
  }),
);
const idle = [...sessions];
const waiting: ((session: Client) => void)[] = [];

/** Runs a statement, which must return one row, in the next free session. */
async function act(name: Exclude<keyof typeof statements, "listen">, values: unknown[]): Promise<string> {
  const session = idle.pop() ?? (await new Promise<Client>((resolve) => void waiting.push(resolve)));
  try {
    // A name makes it a prepared statement.
    const { rows } = await session.query<{ reservation_id: string }>({ name, text: statements[name], values });
    if (rows.length !== 1) throw new Error(`${name} was refused: ${JSON.stringify(values)}`);
    return rows[0]?.reservation_id ?? "";
  } finally {
    const next = waiting.shift();
    if (next === undefined) idle.push(session);
    else next(session);
  }
}

const setUp = await connectPostgres(socketDir);
for (let siteId = 0; siteId < Number(clients); siteId++) {
  await setUp.query("INSERT INTO capacity VALUES ($1, 0, 1000, 0, 0) ON CONFLICT DO NOTHING", [siteId]);
  await setUp.query("INSERT INTO agent_key VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", [siteId, `key_test_${siteId}`]);
}
const { rows: marks } = await setUp.query<{ site_id: number; watermark: string }>("SELECT site_id, watermark FROM agent_key");
const sequences = new Map(marks.map(({ site_id, watermark }) => [site_id, Number(watermark)]));
const { rows: newest } = await setUp.query<{ transaction_id: string; event_id: string }>(
  "SELECT transaction_id::text, event_id::text FROM event ORDER BY event.transaction_id DESC, event.event_id DESC LIMIT 1",
);

function nextSequence(siteId: number): number {
  const sequence = (sequences.get(siteId) ?? 0) + 1;
  sequences.set(siteId, sequence);
  return sequence;
}

async function live(siteId: number): Promise<void> {
  const reservedAt = new Date();
  const reservationId = await act("reserve", [
    participantId,
    randomUUID(),
    fingerprint,
    siteId,
    300,
    100,
    400,
    1000,
    "order 2026-11-24/0815",
    reservedAt,
    new Date(reservedAt.getTime() + 900_000),
  ]);
  const confirmedAt = new Date();
  const depositUntil = new Date(confirmedAt.getTime() + 86_400_000);
  await act("confirm", [participantId, randomUUID(), fingerprint, reservationId, confirmedAt, depositUntil, answer]);
  const keyId = `key_test_${siteId}`;
  const depositedAt = new Date();
  const collectUntil = new Date(depositedAt.getTime() + 259_200_000);
  await act("deposit", [siteId, keyId, nextSequence(siteId), reservationId, depositedAt, collectUntil, randomUUID(), credentialHash, "A1"]);
  await act("collect", [siteId, keyId, nextSequence(siteId), reservationId, new Date(), randomUUID(), credentialHash]);
}

let [lastTransaction, lastEvent] = [newest[0]?.transaction_id ?? "0", newest[0]?.event_id ?? "0"];
const listening = await connectPostgres(socketDir);
const listener = pollListener(async () => {
  const { rows } = await listening.query<{ transaction_id: string; event_id: string; recorded_at: Date }>({
    name: "listen",
    text: statements.listen,
    values: [lastTransaction, lastEvent],
  });
  const last = rows.at(-1);
  if (last !== undefined) [lastTransaction, lastEvent] = [last.transaction_id, last.event_id];
  return rows.map(({ recorded_at }) => recorded_at.getTime());
});
const result = await runLives(Number(clients), Number(seconds), listener, eventsOfLife, live);
await listener.close();
const { rows: left } = await setUp.query("SELECT * FROM capacity WHERE held <> 0 OR occupied <> 0 OR free <> 1000");
if (left.length > 0) throw new Error(`places are not free after all lives have ended: ${JSON.stringify(left)}`);
for (const session of [...sessions, setUp, listening]) await session.end();
process.stdout.write(`${JSON.stringify(result)}\n`);
