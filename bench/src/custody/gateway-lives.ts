/**
 * Lives whole lives over a gateway's own calls: `gateway-lives.ts <facts> <task> …`, where the file `facts` has what
 * servers/custody-gateway.ts announced. Prints what came of it as JSON. Tasks:
 * - `run <clients> <seconds>`: a {@link LifeRun};
 * - `paced <clients> <seconds> <lives a second>`: a {@link PacedRun};
 * - `stages <count> <socket>`: bytes of Redis for each of `count` reservations, stage by stage.
 */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createRequestSigner, type RequestSigner, type RequestSignerOptions } from "@petak/client/node";
import { reportClaims, reportText } from "@petak/credential";
import { Act, DeviceEventSchema, DeviceEventType, ProofKind } from "@petak/protocol";
import { Redis } from "ioredis";
import { concurrently } from "../allocator/concurrently.ts";
import { usedMemory } from "../allocator/measure/memory.ts";
import { type HttpCaller, openCaller } from "./http-caller.ts";
import { eventsOfLife } from "./levels.ts";
import { type Listener, runLives, runPaced } from "./lives.ts";

interface Facts {
  port: number;
  courier: string;
  courierKey: RequestSignerOptions;
  sites: { siteId: string; latitude: number; longitude: number; authorization: string; key: RequestSignerOptions }[];
}

interface Reserved {
  reservation: { reservationId: string; siteId: string; state: string };
}

const [factsPath = "", task = "", ...args] = process.argv.slice(2);
const facts = JSON.parse(await readFile(factsPath, "utf8")) as Facts;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const reservations = "/petak.v1.ReservationService";
const agents = "/petak.v1.AgentService";

/** A client: a connection, and the site near which its parcels go, whose agent it plays. */
interface Party {
  caller: HttpCaller;
  site: Facts["sites"][number];
  signer: RequestSigner;
  sequence: number;
}

async function openParty(index: number): Promise<Party> {
  const site = facts.sites[index];
  if (site === undefined) throw new Error(`more clients than sites: ${index}`);
  const caller = await openCaller(facts.port);
  const { acknowledgedSequence = "0" } = await caller.call<{ acknowledgedSequence?: string }>(`${agents}/Boot`, site.authorization, {
    siteId: site.siteId,
    software: "bench",
  });
  return { caller, site, signer: createRequestSigner(site.key), sequence: Number(acknowledgedSequence) };
}

function expectThat(isSo: boolean, what: string, answer: unknown): void {
  if (!isSo) throw new Error(`${what}: ${JSON.stringify(answer)}`);
}

async function reserve({ caller, site }: Party): Promise<string> {
  const { siteId, latitude, longitude } = site;
  const answer = await caller.call<Reserved>(`${reservations}/Reserve`, facts.courier, {
    requestId: randomUUID(),
    nearest: { origin: { latitude, longitude } },
    parcel,
    // The city reaches across the strait.
    requirements: { anyCountry: true },
    partnerReference: "order 2026-11-24/0815",
  });
  const { reservation } = answer;
  expectThat(reservation.siteId === siteId && reservation.state === "RESERVATION_STATE_HELD", "a parcel was not held", answer);
  return reservation.reservationId;
}

async function confirm({ caller }: Party, reservationId: string): Promise<void> {
  const answer = await caller.call<Reserved>(`${reservations}/Confirm`, facts.courier, { requestId: randomUUID(), reservationId });
  expectThat(answer.reservation.state === "RESERVATION_STATE_CONFIRMED", "a hold was not confirmed", answer);
}

async function report(party: Party, reservationId: string, type: "DEPOSITED" | "COLLECTED"): Promise<void> {
  party.sequence += 1;
  const { siteId, authorization, key } = party.site;
  const event = create(DeviceEventSchema, {
    sequence: BigInt(party.sequence),
    deviceEventId: randomUUID(),
    type: DeviceEventType[`PARCEL_${type}`],
    occurredAt: timestampFromMs(Date.now()),
    reservationId,
    compartmentId: "A1",
    proofKind: ProofKind.ACCESS_TOKEN,
    credentialHash: "rX8mC3sWm3m0tGq3cE2Qf0a3m8dV0cXyPpQmS0b1n2A",
    act: type === "DEPOSITED" ? Act.DEPOSIT : Act.COLLECT,
  });
  event.signature = await party.signer.sign(reportText(key.keyId, reportClaims(siteId, event)));
  const answer = await party.caller.call<{ acknowledgedSequence: string }>(`${agents}/ReportEvents`, authorization, {
    siteId,
    events: [toJson(DeviceEventSchema, event)],
  });
  expectThat(answer.acknowledgedSequence === String(party.sequence), "a report was not taken", answer);
}

async function live(party: Party): Promise<void> {
  const reservationId = await reserve(party);
  await confirm(party, reservationId);
  await report(party, reservationId, "DEPOSITED");
  await report(party, reservationId, "COLLECTED");
}

/** The courier's stream, from now on, which another process listens to. */
async function listen(): Promise<Listener> {
  const child = fork(join(import.meta.dirname, "stream-listener.ts"), [factsPath], { serialization: "advanced" });
  const delaysMs: number[] = [];
  let ended: string | undefined;
  child.once("exit", (code) => {
    ended = `the listener has ended with ${code}`;
  });
  child.on("message", (some: number[]) => void delaysMs.push(...some));
  // The first message says that it listens.
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
  const parties = await Promise.all(Array.from({ length: 16 }, (_, index) => openParty(index)));
  const ids: string[][] = parties.map(() => []);
  const each = Math.floor(count / parties.length);
  const bytes: Record<string, number> = {};
  // What the first ones leave, such as counts and answers' keys of a new kind, is not what one takes.
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
  const parties = await Promise.all(Array.from({ length: clients }, (_, index) => openParty(index)));
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
