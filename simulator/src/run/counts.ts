import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { AvailabilityState } from "@petak/protocol";
import { ask, CallFailed, servicePatienceMs } from "../actors/calls.ts";
import type { City } from "../actors/city.ts";
import type { Courier } from "../actors/courier.ts";

/** Sites per call: the protocol's limit. */
const sitesMax = 100;

/** Reads what has changed in the directory, if the gateway answers. */
export async function readDirectory(city: City): Promise<void> {
  try {
    await ask(city, { intention: 0, operation: "read" }, (options) => city.sites.refresh(options), servicePatienceMs);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
}

/** Reads what has changed in the directory, and observes the counts of all sites of the city. */
export async function sampleCounts(city: City, { client }: Courier): Promise<void> {
  try {
    await readDirectory(city);
    const siteIds = city.sites.seen().map(({ siteId }) => siteId);
    for (let from = 0; from < siteIds.length; from += sitesMax) {
      const request = { siteIds: siteIds.slice(from, from + sitesMax) };
      const asked = { intention: 0, operation: "availability" } as const;
      const { availabilities } = await ask(city, asked, (options) => client.directory.getAvailability(request, options), servicePatienceMs);
      for (const { siteId, state, observedAt, publishedAt, sizeClasses } of availabilities) {
        city.observe({
          kind: "counts",
          atMs: city.nowMs(),
          siteId,
          isKnown: state === AvailabilityState.KNOWN,
          observedAtMs: observedAt === undefined ? 0 : timestampMs(observedAt),
          publishedAtMs: publishedAt === undefined ? 0 : timestampMs(publishedAt),
          sizeClasses: sizeClasses.map(({ $typeName: _type, $unknown: _unknown, ...counts }) => counts),
        });
      }
    }
  } catch (error) {
    // Calls that fail are outcomes; those of the directory are not observed.
    if (!(error instanceof CallFailed || error instanceof ConnectError)) throw error;
  }
}
