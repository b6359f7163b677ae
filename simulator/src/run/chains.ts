import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { json } from "node:stream/consumers";
import { type IssuerKeyPeriod, readIssuerKeySet, verifyChain } from "@petak/credential";
import { ask, CallFailed, servicePatienceMs } from "../actors/calls.ts";
import type { City } from "../actors/city.ts";
import type { Life } from "../actors/life.ts";
import { createRandom } from "../random/random.ts";
import type { CityRun } from "./city-run.ts";

/** Some of the reservations of a run, each with the same probability. */
export interface ChainSample {
  readonly chosen: readonly { readonly life: Life; readonly reservationId: string }[];
  note(life: Life, reservationId: string): void;
}

/** Chooses by a reservoir. @param most how many are chosen */
export function createChainSample(most: number, seed: number): ChainSample {
  const chosen: { life: Life; reservationId: string }[] = [];
  const random = createRandom("chains", seed);
  let count = 0;
  return {
    chosen,
    note(life, reservationId) {
      count += 1;
      if (chosen.length < most) chosen.push({ life, reservationId });
      else {
        const place = Math.floor(random.next() * count);
        if (place < most) chosen[place] = { life, reservationId };
      }
    },
  };
}

/** Reads the custody chains of a sample and verifies them by the gateway's published keys. */
export async function verifyChains(city: City, { chosen }: ChainSample, gateway: CityRun["gateway"]): Promise<void> {
  const issuerKeys = await publishedKeys(gateway).catch(() => undefined);
  if (issuerKeys === undefined) return;
  for (const { life, reservationId } of chosen) {
    const { intention, courier } = life;
    try {
      const asked = { intention: intention.id, operation: "read", reservationId } as const;
      const { custody } = courier.client;
      const chain = await ask(city, asked, (options) => custody.getCustodyChain({ reservationId }, options), servicePatienceMs);
      const { faults, statement } = await verifyChain(chain, { issuerKeys });
      const about = { intention: intention.id, atMs: city.nowMs(), reservationId, isComplete: statement !== undefined };
      city.observe({ kind: "chain", ...about, faults: faults.map(({ code }) => code) });
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
    }
  }
}

/** The keys that a gateway has signed with. */
async function publishedKeys({ url, tls }: CityRun["gateway"]): Promise<IssuerKeyPeriod[]> {
  const address = `${url.replace(/\/+$/, "")}/.well-known/petak/issuer-keys.json`;
  const signal = AbortSignal.timeout(servicePatienceMs);
  const answer = await new Promise<unknown>((resolve, reject) => {
    const request = url.startsWith("https:") ? getHttps(address, { signal, ...tls }) : getHttp(address, { signal });
    request.once("response", (response) => resolve(json(response))).once("error", reject);
  });
  return await readIssuerKeySet(answer);
}
