/**
 * The gateway over the Redis at the given socket, with a city of sites: `gateway.ts <socket> <sites> [<secrets>]`. Its first line has an
 * Authorization header and its key. Several gateways over one Redis share the folder `secrets`, and only the first makes the sites.
 */
import { prepareServingProcess } from "@petak/gateway";
import { Role } from "@petak/protocol";
import { createRecords, enterStore } from "@petak/records";
import { connectRedis, createKeys } from "@petak/redis";
import { createRandom, makeSite } from "@petak/testkit";
import { announce } from "./announce.ts";
import { authorizationOf, startBenchNetwork } from "./bench-network.ts";

prepareServingProcess();

const [socketPath = "", siteCount = "10000", dataDir] = process.argv.slice(2);

const onError = (error: Error) => void process.stderr.write(`${error.message}\n`);
const redis = connectRedis({ socketPath }, { onError });
await redis.connect();
const entry = await enterStore({ redis, keys: createKeys("petak"), onError, onRefused: onError });
const records = createRecords({ redis, storeCode: entry.storeCode });
const random = createRandom(1);
for (let from = 0; from < Number(siteCount); from += 100) {
  const batch = Array.from({ length: Math.min(100, Number(siteCount) - from) }, (_, index) =>
    makeSite({
      latitude: random.float(1.24, 1.46),
      longitude: random.float(103.61, 104.03),
      ref: `bench-${from + index}`,
      // So many places that no run of Reserve fills the city.
      classes: [["M", 400, 200, 500, 20_000, 500]],
    }),
  );
  await Promise.all(batch.map((site) => records.sites.put(site, 0)));
}
await entry.leave();
redis.disconnect();

const network = await startBenchNetwork(socketPath, dataDir === undefined ? {} : { dataDir });
const { key } = await network.join("Bench", [Role.COURIER]);
network.closeClients();
announce({ port: network.port, authorization: await authorizationOf(key), courierKey: key }, () => network.stop());
