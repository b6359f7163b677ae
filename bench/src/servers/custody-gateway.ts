/**
 * A gateway over the Redis at the given socket, for whole lives of parcels: `custody-gateway.ts <socket> <sites> <replicas>`. Each site has
 * an agent. Its first line names the callers, each with a token that is valid for ten minutes.
 */
import { prepareServingProcess } from "@petak/gateway";
import { Role } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import type { TestKey } from "@petak/testkit/network";
import { announce } from "./announce.ts";
import { authorizationOf, startBenchNetwork } from "./bench-network.ts";

prepareServingProcess();

const [socketPath = "", siteCount = "256", replicas = "0"] = process.argv.slice(2);
const replication = { replicas: Number(replicas), on: "memory", withinMs: 1000 } as const;
const network = await startBenchNetwork(
  socketPath,
  replication.replicas > 0 ? { durability: { level: "replicated", check: "refuse", replication } } : {},
);
const operator = await network.join("Operator", [Role.OPERATOR]);
const courier = await network.join("Courier", [Role.COURIER]);
const sites: { siteId: string; latitude: number; longitude: number; authorization: string; key: TestKey }[] = [];
for (let from = 0; from < Number(siteCount); from += 64) {
  const places = Array.from({ length: Math.min(64, Number(siteCount) - from) }, (_, index) => ({
    latitude: 1.25 + Math.floor((from + index) / 16) * 0.01,
    longitude: 103.62 + ((from + index) % 16) * 0.02,
    ref: `bench-${from + index}`,
  }));
  const siteIds = await network.putSites(
    operator,
    ...places.map((place) => makeSite({ ...place, classes: [["M", 400, 200, 500, 20_000, 1000]] })),
  );
  for (const [index, siteId] of siteIds.entries()) {
    const { latitude, longitude } = places[index] as (typeof places)[number];
    const key = await network.agentKey(operator, siteId);
    sites.push({ siteId, latitude, longitude, authorization: await authorizationOf(key), key });
  }
}
network.closeClients();
announce({ port: network.port, courier: await authorizationOf(courier.key), courierKey: courier.key, sites }, () => network.stop());
