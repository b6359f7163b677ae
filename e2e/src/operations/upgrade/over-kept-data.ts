import { join } from "node:path";
import { createRequestSigner } from "@petak/client/node";
import type { Reservation } from "@petak/protocol";
import { createFrozenClock, startTestServer, tempDir } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import type { DataFacts, EarliestDataFacts, KeptData, ReservationName } from "./kept-data.ts";

const hourMs = 3_600_000;

/** Kept data that is loaded into a server and a directory. */
export interface LoadedData {
  readonly redis: Redis;
  /** Has `archive`, `data` and `agent.db`. */
  readonly directory: string;
  /** Starts a gateway over it, which stops with the test. Its clock is frozen at the time of the data unless `now` is given. */
  start(options?: Pick<TestNetworkOptions, "redis" | "storeEntry" | "now" | "expectsErrors" | "archive">): Promise<TestNetwork>;
}

/** Loads kept data into a server and a directory of the running test. */
export async function loadKeptData({ facts, loadInto, copyTo }: KeptData<DataFacts | EarliestDataFacts>): Promise<LoadedData> {
  const server = await startTestServer();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.options);
  onTestFinished(() => redis.disconnect());
  const directory = await tempDir();
  await Promise.all([loadInto(redis), copyTo(directory)]);
  return {
    redis,
    directory,
    async start(options = {}) {
      const { now = createFrozenClock(facts.atMs).now } = options;
      const network = await startTestNetwork({
        redis: { address: server.address },
        keyPrefix: facts.prefix,
        dataDir: join(directory, "data"),
        archive: { directory: join(directory, "archive"), retentionMs: 25 * hourMs, intervalMs: 10, serverTimeMs: async () => now() },
        ...options,
        now,
      });
      onTestFinished(() => network.stop());
      return network;
    },
  };
}

/** The participants of the data, with their keys, as callers of a present gateway. */
export function callersOf(facts: DataFacts, network: TestNetwork, now: () => number = createFrozenClock(facts.atMs).now) {
  const clientOf = (name: keyof typeof facts.keys) => {
    const { participant_id: participantId, key_id: keyId, private_jwk: privateJwk, audience } = facts.keys[name];
    return network.clientFor(createRequestSigner({ participantId, keyId, privateJwk, audience, now }));
  };
  const courier = clientOf("courier");
  return {
    courier,
    operator: clientOf("operator"),
    agent: clientOf("agent"),
    async find(name: ReservationName): Promise<Reservation> {
      const { reservation } = await courier.reservations.getReservation({ reservationId: facts.reservations[name].reservationId });
      return reservation as Reservation;
    },
  };
}
