/**
 * A gateway with a city of sites over the Redis at the given socket, for the bench of fairness: `fairness-gateway.ts <socket>`. Announces
 * {@link FairnessFacts}.
 */
import { randomUUID } from "node:crypto";
import { createLogger, prepareServingProcess } from "@petak/gateway";
import { Mode, Role } from "@petak/protocol";
import { createRandom, makeSite } from "@petak/testkit";
import { type FairnessFacts, harmlessCount } from "../fairness/traffic-kinds.ts";
import { announce } from "./announce.ts";
import { authorizationOf, startBenchNetwork } from "./bench-network.ts";

prepareServingProcess();

const [socketPath = ""] = process.argv.slice(2);

/** Sites of the city, and how many are made in one call. */
const siteCount = 2000;
const batchSize = 100;

// Refusals are what the bench is about: they have the limits of `petak gateway`, and no lines in the log.
const logger = createLogger({ level: "error" });
const network = await startBenchNetwork(socketPath, { logger, callLimits: {} });
const operator = await network.join("Operator", [Role.OPERATOR]);
const random = createRandom(1);
for (let from = 0; from < siteCount; from += batchSize) {
  const sites = Array.from({ length: batchSize }, (_, index) =>
    makeSite({
      latitude: random.float(1.24, 1.46),
      longitude: random.float(103.61, 104.03),
      ref: `bench-${from + index}`,
      classes: [["M", 400, 200, 500, 20_000, 500]],
    }),
  );
  await network.putSites(operator, ...sites);
}
const { publishableKey } = await operator.client.participants.createPublishableKey({
  requestId: randomUUID(),
  mode: Mode.TEST,
  origins: ["*"],
  requestsPerSecond: 1000,
});
const join = async (name: string) => (await network.join(name, [Role.COURIER])).key;
const courier = await join("Courier");
const hostile = await join("Hostile");
const harmless: string[] = [];
for (let count = 0; count < harmlessCount; count += 1) harmless.push(await authorizationOf(await join(`Harmless ${count}`)));
network.closeClients();
const facts: FairnessFacts = {
  port: network.port,
  courier: await authorizationOf(courier),
  courierKey: { participantId: courier.participantId, keyId: courier.keyId, audience: courier.audience },
  checkout: `Bearer ${publishableKey?.publishableKey}`,
  hostile: await authorizationOf(hostile),
  harmless,
};
announce({ ...facts }, () => network.stop());
