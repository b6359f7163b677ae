import type { City } from "./city.ts";
import type { Life } from "./life.ts";

/** The next time at which the site of an intention is open, from a time of the trace on. */
export async function whenOpen(city: City, life: Life, planMs: number): Promise<number> {
  const site = await city.sites.find(life.siteId ?? "");
  return site === undefined ? planMs : city.sites.opens(site, city.startAtMs + planMs) - city.startAtMs;
}
