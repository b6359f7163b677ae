import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { findTimeZone } from "@petak/allocator";
import type { Event } from "@petak/protocol";
import type { SiteCache } from "@petak/records";
import { cloudEventAttributes, cloudEventData, cloudEventSource } from "../feed/cloud-event-attributes.ts";

/** Adds derived fields to events: their CloudEvents attributes, and the UTC offset at their sites. */
export type EventView = (events: readonly Event[]) => Promise<Event[]>;

/** Creates the view. @param audience names the gateway in the `source` of CloudEvents */
export function createEventView(audience: string, siteCache: Pick<SiteCache, "facts">): EventView {
  const source = cloudEventSource(audience);
  return async (events) => {
    const siteIds = [...new Set(events.map(({ siteId }) => siteId))].filter((siteId) => siteId !== "");
    const sites = await siteCache.facts(siteIds.map((siteId) => ({ siteId, revision: 0 })));
    const zones = new Map(siteIds.map((siteId, index) => [siteId, findTimeZone(sites[index]?.timeZone ?? "")]));
    return events.map((event) => {
      const offsetMs = event.occurredAt && zones.get(event.siteId)?.offsetMs(timestampMs(event.occurredAt));
      const cloudEvent = cloudEventAttributes(event, source, cloudEventData.event);
      return { ...event, cloudEvent, ...(offsetMs === undefined ? {} : { occurredAtUtcOffset: durationFromMs(offsetMs) }) };
    });
  };
}
