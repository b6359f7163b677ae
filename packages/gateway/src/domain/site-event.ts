import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, newEventId, PartySchema, ProofSchema, parseSiteId, type Site } from "@petak/protocol";
import { type EventFacts, eventSchemaVersion } from "./reservation-event.ts";

/** What is particular about an event of a site; the rest follows from the site. */
export interface SiteEventFacts extends Pick<EventFacts, "type" | "actor" | "occurredAtMs" | "recordedAtMs" | "proof"> {
  site: Site;
}

/** An event that is about a site and no reservation: only the site's operator sees it. */
export function siteEvent({ type, site, actor, occurredAtMs, recordedAtMs = occurredAtMs, proof }: SiteEventFacts): Event {
  const fields: MessageInitShape<typeof EventSchema> = {
    eventId: newEventId(parseSiteId(site.siteId)?.region ?? ""),
    schemaVersion: eventSchemaVersion,
    type,
    siteId: site.siteId,
    operatorId: site.operatorId,
    actor: create(PartySchema, actor),
    occurredAt: timestampFromMs(occurredAtMs),
    recordedAt: timestampFromMs(recordedAtMs),
    isTest: site.isTest,
  };
  return create(EventSchema, proof === undefined ? fields : { ...fields, proof: create(ProofSchema, proof) });
}
