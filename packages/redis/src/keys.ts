import { hash } from "node:crypto";
import { encodeBase32, type ModeName, type Region } from "@petak/protocol";

/** Identifies a feed: a participant's, in the test or the live network. */
export interface FeedName {
  readonly participantId: string;
  readonly mode: ModeName;
}

/** Owner of default terms: an operator, for its sites in the test or the live network. */
export interface TermsOwner {
  readonly operatorId: string;
  readonly isTest: boolean;
}

/**
 * The names of all keys. Keys of a region carry its hash tag, so that a script touches one slot and Redis Cluster distributes regions over
 * its masters. No other module spells key names.
 */
export interface Keys {
  /** Prefix of all names, without the colon that follows it. */
  readonly prefix: string;
  /** The code that distinguishes the store's site ids from those of other stores. */
  storeCode(): string;
  /** Set of the regions that have or had a site. */
  regions(): string;
  /** Hash: participant id → operator number, as used in the index records. */
  operatorNumbers(): string;
  /** Counter of the operator numbers. */
  operatorCounter(): string;
  /** Hash: an operator's own reference → site id, without the store code. */
  operatorSiteRefs(operatorId: string): string;
  /** Fingerprint of the body that a participant first sent with an idempotency key, whatever the region. */
  requestId(participantId: string, requestId: string): string;
  /** Stored response of a request that changed several regions, with its fingerprint. */
  multiRegionResponse(participantId: string, requestId: string, fingerprint: string): string;
  /** Counter of the region's site numbers. */
  siteCounter(region: Region): string;
  /** Bitmap of the region's 7^5 index cells: 1 if the cell has a block. */
  occupiedCells(region: Region): string;
  /** List of the region's size profiles; a record's profile number is an index into it. */
  profiles(region: Region): string;
  /** List of the region's opening times; a record's opening hours number is 1 + an index into it. */
  openingTimes(region: Region): string;
  /** Set of the regions that have or had a site in a country. */
  countryRegions(countryCode: string): string;
  /** Block of index records of one index cell. */
  block(region: Region, cell: string): string;
  /** Hash: site number as 4 bytes → site counts, of the sites of one index cell, including those that are not in the index. */
  siteCounts(region: Region, cell: string): string;
  /** One site: its place in the index, and its facts. */
  site(region: Region, siteNumber: number): string;
  /** Set of the handles of the reservations that a site's agent is given. */
  siteAllowed(region: Region, siteNumber: number): string;
  /** Counter that increases with each change of what a site's agent is given. */
  siteAllowedVersion(region: Region, siteNumber: number): string;
  /** Hash: compartment id → handles of the reservations with a hard hold on it, see lua/includes/named-compartments.lua. */
  siteCompartments(region: Region, siteNumber: number): string;
  /** Hash: reservation handle, or `b` and bundle handle → hashed PIN and its validity period. */
  sitePins(region: Region, siteNumber: number): string;
  /** Sorted set: hash of a revoked service credential of a site → the time in ms at which the entry expires. */
  siteRevoked(region: Region, siteNumber: number): string;
  /** Number of the last report recorded from one agent key. */
  agentWatermark(region: Region, siteNumber: number, keyId: string): string;
  /** One reservation: revision, message, and the ids of its entries in the region's event stream. */
  reservation(region: Region, handle: string): string;
  /** One bundle: revision and message. */
  bundle(region: Region, handle: string): string;
  /** Sorted set: reservation handle → its next deadline in ms. */
  deadlines(region: Region): string;
  /** Sorted set, all scores equal: handles of the reservations whose parcel is overdue. */
  overdue(region: Region): string;
  /** Common prefix of the keys of a region's reservations. */
  reservationPrefix(region: Region): string;
  /**
   * Hash: reservation handle → what the queued reservation waits for. All keys about queues begin with this name, since
   * lua/includes/queue.lua derives them: which of them a script touches is known only while it runs.
   */
  waiting(region: Region): string;
  /** Set of the numbers of the region's sites that have a queue. */
  waitingSites(region: Region): string;
  /** Sorted set: handles of the reservations queued at a site, in order. */
  siteQueue(region: Region, siteNumber: number): string;
  /** Sorted set: handles of those that a size class of the site would fit. */
  classQueue(region: Region, siteNumber: number, classIndex: number): string;
  /** Event stream of the region. */
  events(region: Region): string;
  /** Time in ms before which the region's events are in the archive and no longer in its stream. */
  archivedUntil(region: Region): string;
  /** Lease of the archiver of the region. */
  archiveLease(region: Region): string;
  /** Id of the archive that belongs to this store, so that a wrong archive directory is detected. */
  archiveId(): string;
  /** The region whose event stream a key names; undefined for any other key. */
  regionOfEvents(key: string): Region | undefined;
  /** Marker that a named event has been recorded in the region. */
  eventMarker(region: Region, name: string): string;
  /** Hash: how far the region's events are contained in the participants' feeds, see lua/advance-feed-watermark.lua. */
  feedWatermarks(region: Region): string;
  /** Hash: the last number of a feed, and how far each region's events are contained in it. All feeds of one participant share a slot. */
  feedHead(feed: FeedName): string;
  /** Hash: times at which the events of each chunk of a feed were recorded. */
  feedTimes(feed: FeedName): string;
  /** A chunk of a feed: references to events, see feeds/event-reference.ts. */
  feedChunk(feed: FeedName, index: number): string;
  /** Lease of the gateway that delivers events to a subscriber. All keys of one subscriber share a slot. */
  deliveryLease(subscriberId: string): string;
  /** Hash: progress of the delivery to a subscriber. */
  deliveryState(subscriberId: string): string;
  /** Sorted set: event id → the time in ms of its next delivery attempt. */
  deliveryDue(subscriberId: string): string;
  /** Hash: event id → the delivery to repeat. */
  deliveryRetries(subscriberId: string): string;
  /** Hash: replay id → its progress. */
  deliveryReplays(subscriberId: string): string;
  /** Stored response of a request that changed one region. */
  storedResponse(region: Region, participantId: string, requestId: string): string;
  /** The order in which a reservation request tries several regions; kept in its home region. */
  plan(region: Region, participantId: string, requestId: string): string;
  /** Set of all participant ids. */
  participants(): string;
  participant(participantId: string): string;
  /** Set of the ids of a participant's keys, including publishable ones. */
  participantKeys(participantId: string): string;
  key(keyId: string): string;
  publishableKey(publishableKey: string): string;
  /** Hash: terms number → terms. Entries never change. */
  terms(): string;
  /** Hash: terms id → terms number. */
  termsNumbers(): string;
  /** Counter of the terms numbers. */
  termsCounter(): string;
  /** An operator's default terms for its sites in the test or the live network. */
  defaultTerms(owner: TermsOwner): string;
  /** Set of the ids of all webhook endpoints. */
  webhookEndpoints(): string;
  /** Sorted set: ids of a participant's webhook endpoints in one network, by creation time in ms. */
  webhookEndpointsOf(participantId: string, mode: ModeName): string;
  /** Hash of one webhook endpoint, in the slot of its deliveries. */
  webhookEndpoint(endpointId: string): string;
  /** Offset of the test clock of the store's gateways from the system clock, in ms. */
  testClockOffset(): string;
  /** Fingerprint of the secrets shared by the gateways of this store. */
  gatewaySecrets(): string;
  /** Hash: the versions of the data, and the gateways that run, see lua/enter-store.lua. */
  dataVersion(): string;
  /** Replication marker in the slot of a hash tag; with an empty tag, in any slot. Its value has no meaning and it expires soon. */
  replicationMarker(hashTag: string): string;
}

/** Length of a hashed request name: 18 base64url characters, 108 bits. */
const requestNameLength = 18;

/** Creates the key names under a prefix. Different prefixes separate stores that share a server. */
export function createKeys(prefix: string): Keys {
  const regionStart = `${prefix}:{`;
  const eventsEnd = "}:events";
  const tagged = (region: Region) => `${regionStart}${region}}`;
  const site = (region: Region, siteNumber: number) => `${tagged(region)}:site:${encodeBase32(siteNumber)}`;
  // Hashed to keep it short: a participant has many requests, each short-lived.
  const requestName = (participantId: string, requestId: string) =>
    hash("sha256", `${participantId} ${requestId}`, "base64url").slice(0, requestNameLength);
  const feed = ({ participantId, mode }: FeedName) => `${prefix}:{${participantId}}:log:${mode}`;
  const delivery = (subscriberId: string) => `${prefix}:{${subscriberId}}:delivery`;
  const waiting = (region: Region) => `${tagged(region)}:waiting`;
  const siteQueue = (region: Region, siteNumber: number) => `${waiting(region)}:${siteNumber}`;
  const cellName = (cell: string) => cell.slice(6, 10);
  return {
    prefix,
    storeCode: () => `${prefix}:store-code`,
    regions: () => `${prefix}:regions`,
    operatorNumbers: () => `${prefix}:operator-numbers`,
    operatorCounter: () => `${prefix}:operator-counter`,
    operatorSiteRefs: (operatorId) => `${prefix}:operator:${operatorId}:refs`,
    requestId: (participantId, requestId) => `${prefix}:req:${requestName(participantId, requestId)}`,
    multiRegionResponse: (participantId, requestId, fingerprint) => `${prefix}:kept-answer:${participantId}:${requestId}:${fingerprint}`,
    siteCounter: (region) => `${tagged(region)}:site-counter`,
    occupiedCells: (region) => `${tagged(region)}:occupied-cells`,
    profiles: (region) => `${tagged(region)}:profiles`,
    openingTimes: (region) => `${tagged(region)}:opening-times`,
    countryRegions: (countryCode) => `${prefix}:country:${countryCode}:regions`,
    block: (region, cell) => `${tagged(region)}:block:${cellName(cell)}`,
    siteCounts: (region, cell) => `${tagged(region)}:tallies:${cellName(cell)}`,
    site,
    siteAllowed: (region, siteNumber) => `${site(region, siteNumber)}:allowed`,
    siteAllowedVersion: (region, siteNumber) => `${site(region, siteNumber)}:allowed-version`,
    siteCompartments: (region, siteNumber) => `${site(region, siteNumber)}:compartments`,
    sitePins: (region, siteNumber) => `${site(region, siteNumber)}:pins`,
    siteRevoked: (region, siteNumber) => `${site(region, siteNumber)}:revoked`,
    agentWatermark: (region, siteNumber, keyId) => `${site(region, siteNumber)}:watermark:${keyId}`,
    reservation: (region, handle) => `${tagged(region)}:res:${handle}`,
    bundle: (region, handle) => `${tagged(region)}:bundle:${handle}`,
    deadlines: (region) => `${tagged(region)}:deadlines`,
    overdue: (region) => `${tagged(region)}:overdue`,
    reservationPrefix: (region) => `${tagged(region)}:res:`,
    waiting,
    waitingSites: (region) => `${waiting(region)}:sites`,
    siteQueue,
    classQueue: (region, siteNumber, classIndex) => `${siteQueue(region, siteNumber)}.${classIndex}`,
    events: (region) => `${tagged(region)}:events`,
    archivedUntil: (region) => `${tagged(region)}:archived-until`,
    archiveLease: (region) => `${tagged(region)}:archive-lease`,
    archiveId: () => `${prefix}:archive-id`,
    regionOfEvents: (key) =>
      key.endsWith(eventsEnd) && key.startsWith(regionStart) ? key.slice(regionStart.length, -eventsEnd.length) : undefined,
    eventMarker: (region, name) => `${tagged(region)}:event-mark:${name}`,
    feedWatermarks: (region) => `${tagged(region)}:logged`,
    feedHead: feed,
    feedTimes: (name) => `${feed(name)}:times`,
    feedChunk: (name, index) => `${feed(name)}:${index}`,
    deliveryLease: (subscriberId) => `${delivery(subscriberId)}:lease`,
    deliveryState: (subscriberId) => `${delivery(subscriberId)}:state`,
    deliveryDue: (subscriberId) => `${delivery(subscriberId)}:due`,
    deliveryRetries: (subscriberId) => `${delivery(subscriberId)}:retries`,
    deliveryReplays: (subscriberId) => `${delivery(subscriberId)}:replays`,
    storedResponse: (region, participantId, requestId) => `${tagged(region)}:answer:${participantId}:${requestId}`,
    plan: (region, participantId, requestId) => `${tagged(region)}:plan:${participantId}:${requestId}`,
    participants: () => `${prefix}:participants`,
    participant: (participantId) => `${prefix}:participant:${participantId}`,
    // Not nested under the participant's own key: participant ids are chosen by callers, and some id could collide with the set's name.
    participantKeys: (participantId) => `${prefix}:participant-keys:${participantId}`,
    key: (keyId) => `${prefix}:key:${keyId}`,
    publishableKey: (publishableKey) => `${prefix}:publishable-key:${publishableKey}`,
    terms: () => `${prefix}:terms`,
    termsNumbers: () => `${prefix}:terms-numbers`,
    termsCounter: () => `${prefix}:terms-counter`,
    defaultTerms: ({ operatorId, isTest }) => `${prefix}:default-terms:${isTest ? "test" : "live"}:${operatorId}`,
    webhookEndpoints: () => `${prefix}:webhook-endpoints`,
    webhookEndpointsOf: (participantId, mode) => `${prefix}:webhook-endpoints-of:${mode}:${participantId}`,
    webhookEndpoint: (endpointId) => `${prefix}:{${endpointId}}:endpoint`,
    testClockOffset: () => `${prefix}:test-clock-offset`,
    gatewaySecrets: () => `${prefix}:gateway-secrets`,
    dataVersion: () => `${prefix}:data-version`,
    replicationMarker: (hashTag) => (hashTag === "" ? `${prefix}:durability` : `${prefix}:{${hashTag}}:durability`),
  };
}
