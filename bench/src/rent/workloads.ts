import { setTimeout as pause } from "node:timers/promises";
import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import type { Random } from "@petak/testkit";
import type { TestKey } from "@petak/testkit/network";
import { type HttpCaller, openCaller } from "../custody/http-caller.ts";
import { confirm, issue, type LifeFacts, openParty, type Party, report, reserve } from "../custody/life-party.ts";
import { threadsCpuNanos } from "../process-cpu.ts";
import type { PinnedServer } from "../rpc/pinned-process.ts";

/** Connections from which a gateway is called at once. */
const clientCount = 16;

/** Options of a workload. */
export interface WorkloadOptions {
  /** The `traceparent` of each call. Default: none. */
  traceparent?: string;
  /** How long after the last answer of a turn its time is read, in ms. Default 20: what a life leaves to be done is done by then. */
  settleMs?: number;
}

/** Does some work so many times, over new connections, and gives the processor time that each took of the gateway, in µs. */
export type Workload = (count: number) => Promise<number>;

/** FindNearest from all over the city, as a checkout asks: a place, a parcel, five options. */
export function searchesOf({ pid, ready }: PinnedServer, random: Random, { traceparent, settleMs }: WorkloadOptions = {}): Workload {
  const authorizationOf = tokensOf(ready.courierKey as TestKey);
  const search = async (caller: HttpCaller, authorization: string) => {
    const { options } = await caller.call<{ options?: unknown[] }>("/petak.v1.DirectoryService/FindNearest", authorization, {
      // Inside the country: from abroad another country has to be asked for, which is not the plainest request.
      origin: { latitude: random.float(1.3, 1.4), longitude: random.float(103.72, 103.94) },
      parcel: { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1500 },
      limit: 5,
    });
    if (options?.length !== 5) throw new Error(`FindNearest gave ${options?.length ?? 0} options, not 5`);
  };
  return async (count) => {
    const authorization = await authorizationOf();
    const callers = await Promise.all(clients((_) => openCaller(ready.port, traceparent)));
    await Promise.all(callers.map((caller) => search(caller, authorization)));
    return await timed(pid, count, callers, (caller) => search(caller, authorization), settleMs).finally(() => {
      for (const caller of callers) caller.close();
    });
  };
}

/** Whole lives: reserved, confirmed, issued a credential for, deposited, collected. */
export function livesOf({ pid, ready }: PinnedServer, { traceparent, settleMs }: WorkloadOptions = {}): Workload {
  const facts = ready as unknown as LifeFacts;
  const courierToken = tokensOf(facts.courierKey);
  const siteTokens = facts.sites.map(({ key }) => tokensOf(key));
  const live = async (party: Party) => {
    const reservationId = await reserve(party);
    await confirm(party, reservationId);
    await issue(party, reservationId);
    await report(party, reservationId, "DEPOSITED");
    await report(party, reservationId, "COLLECTED");
  };
  return async (count) => {
    const courier = await courierToken();
    const sites = await Promise.all(
      facts.sites.map(async (site, index) => ({ ...site, authorization: (await siteTokens[index]?.()) ?? "" })),
    );
    const parties = await Promise.all(clients((index) => openParty({ ...facts, courier, sites }, index, traceparent)));
    return await timed(pid, count, parties, live, settleMs).finally(() => {
      for (const { caller } of parties) caller.close();
    });
  };
}

function clients<Client>(open: (index: number) => Client): Client[] {
  return Array.from({ length: clientCount }, (_, index) => open(index));
}

/** The Authorization header of a participant. A token that is half used up is signed anew: a sitting lasts longer than one. */
function tokensOf(key: TestKey): () => Promise<string> {
  let header = "";
  let signedMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const issuedAtMs = Date.now();
    if (issuedAtMs - signedMs > requestTokenMaxLifetimeMs / 2) {
      header = `Bearer ${await signRequestToken({ ...key, privateKey: key.privateJwk, issuedAtMs, lifetimeMs: requestTokenMaxLifetimeMs })}`;
      signedMs = issuedAtMs;
    }
    return header;
  };
}

async function timed<Client>(
  pid: number,
  count: number,
  all: readonly Client[],
  work: (client: Client) => Promise<void>,
  settleMs = 20,
): Promise<number> {
  const before = threadsCpuNanos(pid);
  let left = count;
  const worker = async (client: Client) => {
    while (left > 0) {
      left -= 1;
      await work(client);
    }
  };
  // One that fails must not leave others at work in the next turn.
  for (const { reason } of (await Promise.allSettled(all.map(worker))) as { reason?: unknown }[]) if (reason !== undefined) throw reason;
  await pause(settleMs);
  return (threadsCpuNanos(pid) - before) / count / 1000;
}
