import type { Directory } from "../gateway/directory.ts";
import type { Offer, SiteFacts } from "../sites/offer.ts";

/** How many sites are asked for at a time. */
const atOnce = 3;

/** Loads the facts of sites that are not known in their revision, the nearest first. */
export async function loadFacts(
  directory: Directory,
  offers: readonly Offer[],
  facts: Map<string, SiteFacts>,
  signal: AbortSignal,
  changed: () => void,
): Promise<void> {
  const wanted = offers.filter(({ siteId, revision }) => facts.get(siteId)?.revision !== revision);
  const work = async (): Promise<void> => {
    for (let offer = wanted.shift(); offer !== undefined; offer = wanted.shift()) {
      const { site } = await directory.call("GetSite", { siteId: offer.siteId }, signal);
      if (site === undefined) continue;
      facts.set(offer.siteId, site);
      changed();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
