import { expect, onTestFinished, test } from "vitest";
import { differenceOf, nearestByHand } from "../answers.ts";
import { cityNetwork, cityOrigins } from "../network/city.ts";
import { newOrder } from "../ours/orders.ts";
import { fillPostgres, planeToleranceM, postgresSession } from "./postgres-peer.ts";
import { connectPostgres, findPostgres, startPostgres } from "./postgres-server.ts";

test.runIf(findPostgres() !== undefined)("PostgreSQL holds at the nearest site that is not full, until that is full too", async () => {
  const server = await startPostgres();
  if (server === undefined) throw new Error("PostgreSQL is there and does not start");
  onTestFinished(() => server.stop());
  const client = await connectPostgres(server.socketDir);
  onTestFinished(() => client.end());
  const network = cityNetwork(200, 8);
  // Every third site is full, every other has one place.
  const free = Array.from({ length: network.count }, (_, index) => (index % 3 === 0 ? 0 : 1));
  await fillPostgres(client, network, (index) => [1, 1, free[index] as number]);
  const session = await postgresSession(client, "off");
  for (const origin of cityOrigins(100, 9)) {
    const [nearest] = nearestByHand(network, (index) => free[index] === 0, origin, 1);
    const held = await session.reserve(newOrder(origin));
    expect(free[held]).toBe(1);
    expect(differenceOf(network, { origin, sites: [nearest as number] }, [held], planeToleranceM)).toBeUndefined();
    free[held] = 0;
  }
  const { rows } = await client.query(
    "SELECT (SELECT count(*)::int FROM reservation) AS reservations, (SELECT count(*)::int FROM event) AS events",
  );
  expect(rows).toEqual([{ reservations: 100, events: 100 }]);

  const order = newOrder({ latitude: 1.35, longitude: 103.8 });
  await session.reserve(order);
  await expect(session.reserve(order)).rejects.toThrow("no place");
});
