import type { Position } from "@petak/allocator";
import type { Client } from "pg";
import { ownCpuSeconds, treeCpuSeconds } from "../../process-cpu.ts";
import { requireFree, requireSame } from "../answers.ts";
import { type BenchContext, type BenchServer, seed, withoutRewriting, withServer } from "../bench-context.ts";
import { repeatedly } from "../concurrently.ts";
import { type FilledCity, loadCity } from "../load/filled-city.ts";
import { cityOrigins } from "../network/city.ts";
import { newOrder } from "../ours/orders.ts";
import { reserveNearest } from "../ours/reserve-nearest.ts";
import { readSiteFacts } from "../ours/site-facts.ts";
import { fillPostgres, type PostgresSession, planeToleranceM, postgresSession } from "../peers/postgres-peer.ts";
import { connectPostgres, installPostgres, type PostgresServer, startPostgres } from "../peers/postgres-server.ts";
import type { Figure, Target } from "../report/figure.ts";

/** Sites, and the share of them that is always full. */
const siteCount = 10_000;
const fullShare = 0.5;

/** Places of the requested size at the other sites: none of them ever becomes full. */
const manyPlaces = 5000;

/** Points of origin of orders. */
const originCount = 10_000;

/** Orders that both sides get one by one, to compare the sites that they choose. */
const comparedCount = 300;

/** Seconds of load before the first measurement, in which Node compiles hot code. */
const warmUpSeconds = 1;

/** Concurrent orders, and sessions of the peer, each with one order: the numbers with which each side performed best. */
const oursAtOnce = 256;
const peerSessions = 8;

/** Equal levels of durability, ours first. */
const levels = [
  { appendfsync: "everysec", synchronousCommit: "off", loses: "the last second" },
  { appendfsync: "always", synchronousCommit: "on", loses: "nothing" },
] as const;

const target: Target = { limit: 10, is: "at least" };

/** Operations for each second of processor time, of client and server together. */
interface Rates {
  perCpuSecond: number[];
  perSecond: number[];
}

/** Nearest and hold in one operation, compared with PostgreSQL with PostGIS. */
export async function measureReserve(context: BenchContext): Promise<Figure[]> {
  const { say } = context;
  return await withServer(true, async (server) => {
    say(`Reserve: ${siteCount} sites`);
    const places = (isEverFull: boolean) => (isEverFull ? 1 : manyPlaces);
    const city = await loadCity(context, server, siteCount, places, fullShare);
    await city.fillTo(fullShare);
    const postgres = await startPostgres();
    if (postgres === undefined) say(installPostgres);
    const clients: Client[] = [];
    try {
      if (postgres !== undefined) {
        for (let number = 0; number < peerSessions; number++) clients.push(await connectPostgres(postgres.socketDir));
      }
      return await measureLevels(context, server, city, postgres, clients);
    } finally {
      for (const client of clients) await client.end();
      await postgres?.stop();
    }
  });
}

async function measureLevels(
  { rounds, seconds, say }: BenchContext,
  { server, redis, records }: BenchServer,
  city: FilledCity,
  postgres: PostgresServer | undefined,
  clients: readonly Client[],
): Promise<Figure[]> {
  const facts = await readSiteFacts(records.sites, city.siteIds);
  const origins = cityOrigins(originCount, seed + 5);
  const ours = async (origin: Position) => city.indexOf(await reserveNearest(records, facts, newOrder(origin)));
  const [first] = clients;
  if (first !== undefined) {
    await fillPostgres(first, city.network, (index) => [20, 20, city.isFull(index) ? 0 : manyPlaces]);
    await compare(city, origins.slice(0, comparedCount), ours, await postgresSession(first, "off"));
  }
  const figures: Figure[] = [];
  for (const { appendfsync, synchronousCommit, loses } of levels) {
    await redis.config("SET", "appendfsync", appendfsync);
    await withoutRewriting(redis);
    const sessions = await Promise.all(clients.map((client) => postgresSession(client, synchronousCommit)));
    let peerOrders = 0;
    const oursRates: Rates = { perCpuSecond: [], perSecond: [] };
    const peerRates: Rates = { perCpuSecond: [], perSecond: [] };
    for (let round = 0; round < rounds; round++) {
      say(`Reserve, ${appendfsync}: round ${round + 1} of ${rounds}`);
      if (round === 0) await load(warmUpSeconds, oursAtOnce, origins, ours);
      await measure(oursRates, server.pid, () => load(seconds, oursAtOnce, origins, ours));
      if (postgres === undefined) continue;
      if (round === 0) await loadSessions(warmUpSeconds, sessions, origins);
      peerOrders += await measure(peerRates, postgres.pid, () => loadSessions(seconds, sessions, origins));
    }
    const retries = sessions.reduce((sum, session) => sum + session.retries, 0);
    const peerName = `PostgreSQL ${postgres?.version ?? "17"} with PostGIS, synchronous_commit ${synchronousCommit}, ${retries} of ${peerOrders} orders tried again`;
    figures.push(
      ...figuresOf(`appendfsync ${appendfsync} (a crash of the machine loses ${loses})`, oursRates, peerName, peerRates, postgres),
    );
  }
  return figures;
}

function figuresOf(level: string, ours: Rates, name: string, peer: Rates, postgres: PostgresServer | undefined): Figure[] {
  const what = `nearest and hold, ${level}`;
  const missing = postgres === undefined ? { notMeasured: installPostgres } : {};
  return [
    {
      part: "reserve",
      what,
      unit: "for each CPU second, client and server",
      ours: ours.perCpuSecond,
      peer: { name, values: peer.perCpuSecond },
      target,
      ...missing,
    },
    { part: "reserve", what, unit: "a second", ours: ours.perSecond, peer: { name, values: peer.perSecond }, ...missing },
  ];
}

/** Measures an interval of operations. Returns their number. */
async function measure(rates: Rates, serverPid: number, run: () => Promise<{ done: number; seconds: number }>): Promise<number> {
  const before = ownCpuSeconds() + treeCpuSeconds(serverPid);
  const { done, seconds } = await run();
  rates.perCpuSecond.push(done / (ownCpuSeconds() + treeCpuSeconds(serverPid) - before));
  rates.perSecond.push(done / seconds);
  return done;
}

let nextOrigin = 0;

function load(
  seconds: number,
  atOnce: number,
  origins: readonly Position[],
  reserve: (origin: Position) => Promise<number>,
): Promise<{ done: number; seconds: number }> {
  return repeatedly(seconds, atOnce, async () => {
    await reserve(origins[nextOrigin++ % origins.length] as Position);
  });
}

function loadSessions(
  seconds: number,
  sessions: readonly PostgresSession[],
  origins: readonly Position[],
): Promise<{ done: number; seconds: number }> {
  const idle = [...sessions];
  return load(seconds, sessions.length, origins, async (origin) => {
    const session = idle.pop() as PostgresSession;
    const site = await session.reserve(newOrder(origin));
    idle.push(session);
    return site;
  });
}

async function compare(
  city: FilledCity,
  origins: readonly Position[],
  ours: (origin: Position) => Promise<number>,
  session: PostgresSession,
): Promise<void> {
  for (const origin of origins) {
    const site = await ours(origin);
    const peerSite = await session.reserve(newOrder(origin));
    requireFree("the allocator", [site], city.isFull);
    requireFree("PostgreSQL", [peerSite], city.isFull);
    requireSame("PostgreSQL", city.network, { origin, sites: [site] }, [peerSite], planeToleranceM);
  }
}
