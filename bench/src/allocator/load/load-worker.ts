/** Puts a part of the ASEAN network: `load-worker.ts <socket> <sites in all> <seed> <from> <to>`. Says in lines how many it has put. */

import { createRecords } from "@petak/records";
import { claimStoreCode, connectRedis, createKeys } from "@petak/redis";
import { aseanNetwork } from "../network/asean.ts";
import { largePlacesOfHalf } from "./half-full.ts";
import { loadSites } from "./load-sites.ts";

const [socketPath = "", count, seed, from, to] = process.argv.slice(2);

/** How many sites between two lines. */
const sitesPerLine = 1000;

const redis = connectRedis({ socketPath }, { onError: (error) => process.stderr.write(`${error.message}\n`) });
await redis.connect();
const storeCode = await claimStoreCode(redis, createKeys("petak"));
await loadSites(createRecords({ redis, storeCode }), aseanNetwork(Number(count), Number(seed)), {
  from: Number(from),
  to: Number(to),
  largePlaces: largePlacesOfHalf,
  onLoaded: (loaded) => void (loaded % sitesPerLine === 0 && process.stdout.write(`${sitesPerLine}\n`)),
});
redis.disconnect();
