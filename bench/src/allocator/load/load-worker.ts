/**
 * Puts a part of the ASEAN network: `load-worker.ts <socket> <total sites> <seed> <from> <to>`. Prints lines with the number of sites put
 * so far.
 */

import { createRecords } from "@petak/records";
import { claimStoreCode, connectRedis, createKeys } from "@petak/redis";
import { aseanNetwork } from "../network/asean.ts";
import { largePlacesOfHalf } from "./half-full.ts";
import { loadSites } from "./load-sites.ts";

const [socketPath = "", count, seed, from, to] = process.argv.slice(2);

/** Sites between two lines. */
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
