import type { TestRedis } from "@petak/testkit";
import type { ProcessNetwork } from "@petak/testkit/network";

/** What a gateway and its store have spent. */
export interface Counters {
  /** Unary calls in progress. */
  readonly callsInProgress: number;
  /** Open connections, those of this reading included. */
  readonly connections: number;
  /** The status of the page on which a supervisor looks. */
  readonly readyStatus: number;
  /** Signatures that were verified since the gateway's start. */
  readonly signatureChecks: number;
  /** Bytes of the store's data. */
  readonly storeBytes: number;
}

/** Gets a page. Once more if the connection, which was kept for the next request, was closed at the moment of this one: gateways end quiet ones where many want in. */
async function get(url: string): Promise<Response> {
  return fetch(url).catch(() => fetch(url));
}

/** Reads the counters. */
export async function readCounters({ baseUrl, gateway }: ProcessNetwork, store: TestRedis["client"]): Promise<Counters> {
  const [page, memory, ready] = await Promise.all([
    get(`${gateway.managementUrl}/metrics`).then((response) => response.text()),
    store.info("memory"),
    get(`${baseUrl}/readyz`),
  ]);
  await ready.body?.cancel();
  const metric = (name: string): number => {
    const found = page.split("\n").find((line) => line.startsWith(`${name} `));
    if (found === undefined) throw new Error(`the gateway has no metric ${name}`);
    return Number(found.slice(name.length));
  };
  return {
    callsInProgress: metric('petak_rpc_in_flight{kind="unary"}'),
    connections: metric("petak_connections"),
    readyStatus: ready.status,
    signatureChecks: metric("petak_signature_checks_total"),
    storeBytes: Number(/used_memory_dataset:(\d+)/.exec(memory)?.[1]),
  };
}
