/**
 * Runs whole lives over a gateway's own calls: `gateway-lives.ts <facts> <task> …`, where the file `facts` has the announcement of
 * servers/custody-gateway.ts. Prints the result as JSON. Tasks:
 * - `run <clients> <seconds>`: a {@link LifeRun};
 * - `paced <clients> <seconds> <lives a second>`: a {@link PacedRun};
 * - `stages <count> <socket>`: bytes of Redis for each of `count` reservations, stage by stage.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { concurrently } from "../allocator/concurrently.ts";
import { usedMemory } from "../allocator/measure/memory.ts";
import { eventsOfLife } from "./levels.ts";
import { confirm, type LifeFacts, openParty, type Party, report, reserve } from "./life-party.ts";
import { type Listener, runLives, runPaced } from "./lives.ts";

const [factsPath = "", task = "", ...args] = process.argv.slice(2);
const facts = JSON.parse(await readFile(factsPath, "utf8")) as LifeFacts;

async function live(party: Party): Promise<void> {
  const reservationId = await reserve(party);
  await confirm(party, reservationId);
  await report(party, reservationId, "DEPOSITED");
  await report(party, reservationId, "COLLECTED");
}

/** The courier's stream from now on, received in another process. */
async function listen(): Promise<Listener> {
  const child = fork(join(import.meta.dirname, "stream-listener.ts"), [factsPath], { serialization: "advanced" });
  const delaysMs: number[] = [];
  let ended: string | undefined;
  child.once("exit", (code) => {
    ended = `the listener has ended with ${code}`;
  });
  child.on("message", (some: number[]) => void delaysMs.push(...some));
  // The first message says that it is listening.
  await Promise.race([once(child, "message"), once(child, "exit")]);
  return {
    get count() {
      if (ended !== undefined) throw new Error(ended);
      return delaysMs.length;
    },
    delaysMs,
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

/** Bytes that the server uses for each of some reservations, at each stage of their lives. */
async function measureStages(count: number, socketPath: string): Promise<Record<string, number>> {
  const redis = new Redis({ path: socketPath });
  const parties = await Promise.all(Array.from({ length: 16 }, (_, index) => openParty(facts, index)));
  const ids: string[][] = parties.map(() => []);
  const each = Math.floor(count / parties.length);
  const bytes: Record<string, number> = {};
  // One-time costs, such as site counts and the first stored responses, are not counted as a reservation's.
  for (const party of parties) await live(party);
  const before = await usedMemory(redis);
  const stages: [string, (party: Party, own: string[], at: number) => Promise<unknown>][] = [
    ["held", async (party, own) => own.push(await reserve(party))],
    ["confirmed", (party, own, at) => confirm(party, own[at] ?? "")],
    ["deposited", (party, own, at) => report(party, own[at] ?? "", "DEPOSITED")],
    ["collected", (party, own, at) => report(party, own[at] ?? "", "COLLECTED")],
  ];
  for (const [name, act] of stages) {
    await concurrently(parties.length, parties.length, async (index) => {
      for (let at = 0; at < each; at++) await act(parties[index] as Party, ids[index] as string[], at);
    });
    bytes[name] = ((await usedMemory(redis)) - before) / (each * parties.length);
  }
  for (const { caller } of parties) caller.close();
  redis.disconnect();
  return bytes;
}

async function perform(): Promise<unknown> {
  const [first = "", second = "", third = ""] = args;
  if (task === "stages") return await measureStages(Number(first), second);
  const listener = await listen();
  const clients = Number(first);
  const parties = await Promise.all(Array.from({ length: clients }, (_, index) => openParty(facts, index)));
  const life = (client: number) => live(parties[client] as Party);
  try {
    if (task === "paced") return await runPaced(clients, Number(second), Number(third), listener, eventsOfLife, life);
    return await runLives(clients, Number(second), listener, eventsOfLife, life);
  } finally {
    for (const { caller } of parties) caller.close();
    await listener.close();
  }
}

process.stdout.write(`${JSON.stringify(await perform())}\n`);
