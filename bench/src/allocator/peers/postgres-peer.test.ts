import type { Position } from "@petak/allocator";
import type { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { differenceOf, nearestByBruteForce } from "../answers.ts";
import { cityNetwork, cityOrigins } from "../network/city.ts";
import type { Network } from "../network/network.ts";
import { newOrder } from "../ours/orders.ts";
import { fillPostgres, type PostgresSession, planeToleranceM, postgresSession } from "./postgres-peer.ts";
import { connectPostgres, findPostgres, startPostgres } from "./postgres-server.ts";

const hasPostgres = findPostgres() !== undefined;

/** A private server with the network, and sessions over it. */
async function sessionsOver(network: Network, count: number, free: (index: number) => number) {
  const server = await startPostgres();
  if (server === undefined) throw new Error("PostgreSQL is installed and does not start");
  onTestFinished(() => server.stop());
  const clients: Client[] = [];
  for (let number = 0; number < count; number++) {
    const client = await connectPostgres(server.socketDir);
    onTestFinished(() => client.end());
    clients.push(client);
  }
  const [client] = clients as [Client];
  await fillPostgres(client, network, (index) => [1, 1, free(index)]);
  return { client, sessions: await Promise.all(clients.map((each) => postgresSession(each, "off"))) };
}

test.runIf(hasPostgres)("PostgreSQL holds places at the nearest site that is not full until that site is full too", async () => {
  const network = cityNetwork(200, 8);
  // Every third site is full, the others have three places.
  const free = Array.from({ length: network.count }, (_, index): number => (index % 3 === 0 ? 0 : 3));
  const { client, sessions } = await sessionsOver(network, 1, (index) => free[index] as number);
  const [session] = sessions as [PostgresSession];
  for (const origin of cityOrigins(300, 9)) {
    const [nearest] = nearestByBruteForce(network, (index) => free[index] === 0, origin, 1);
    const held = await session.reserve(newOrder(origin));
    expect(free[held]).toBeGreaterThan(0);
    expect(differenceOf(network, { origin, sites: [nearest as number] }, [held], planeToleranceM)).toBeUndefined();
    free[held] = (free[held] as number) - 1;
  }
  expect(session.retries).toBe(0);
  const { rows } = await client.query(
    "SELECT (SELECT count(*)::int FROM reservation) AS reservations, (SELECT count(*)::int FROM event) AS events",
  );
  expect(rows).toEqual([{ reservations: 300, events: 300 }]);

  const order = newOrder({ latitude: 1.35, longitude: 103.8 });
  const held = await session.reserve(order);
  await expect(session.reserve(order)).resolves.toBe(held);
  const left = await client.query("SELECT free FROM size_place WHERE site_id = $1 AND size_class = 2", [held]);
  expect(left.rows).toEqual([{ free: (free[held] as number) - 1 }]);
});

test.runIf(hasPostgres)("PostgreSQL gives each place once if many sessions want the same, and refuses the rest", async () => {
  const { client, sessions } = await sessionsOver(cityNetwork(10, 10), 4, () => 2);
  const [origin] = cityOrigins(1, 11) as [Position];
  let held = 0;
  const heldOrRefused = async (session: PostgresSession) => {
    for (let order = 0; order < 8; order++) {
      await session.reserve(newOrder(origin)).then(
        () => held++,
        (error: Error) => expect(error.message).toContain("no place"),
      );
    }
  };
  await Promise.all(sessions.map(heldOrRefused));
  expect(held).toBe(20);
  const { rows } = await client.query(
    "SELECT site_id, count(*)::int AS held FROM reservation GROUP BY site_id UNION SELECT site_id, 2 FROM size_place WHERE size_class = 2 AND free = 0 AND NOT has_free",
  );
  expect(rows).toHaveLength(10);
  expect(rows.every((site) => site.held === 2)).toBe(true);
});
