import { hash } from "node:crypto";
import { encodeBase32, type ModeName, type Region } from "@petak/protocol";

/** Names a feed: a participant's in one of the two networks. */
export interface FeedName {
  readonly participantId: string;
  readonly mode: ModeName;
}

/** The owner of default terms: an operator, for its sites in one of the two networks. */
export interface TermsOwner {
  readonly operatorId: string;
  readonly isTest: boolean;
}

/**
 * The names of all keys. Those about a region carry its hash tag, so that one script touches one slot and Redis Cluster spreads
 * regions over its masters. No other module spells a key.
 */
export interface Keys {
  /** What all of them begin with, before a colon. */
  readonly prefix: string;
  /** What tells the site ids of these records from those of others. */
  storeCode(): string;
  /** Set of the regions that have or had a site. */
  regions(): string;
  /** Hash: participant id → operator number, for the packed records. */
  operatorNumbers(): string;
  /** Counter of the operator numbers. */
  operatorCounter(): string;
  /** Hash: an operator's own reference → site id, without the store code. */
  operatorSiteRefs(operatorId: string): string;
  /** Fingerprint of the body with which a participant used a request id, whatever the region. */
  requestId(participantId: string, requestId: string): string;
  /** The answer to a request that changed several regions, with what its id is tied to. */
  keptAnswer(participantId: string, requestId: string, tie: string): string;
  /** Counter of the region's site numbers. */
  siteCounter(region: Region): string;
  /** Bitmap of the region's 7^5 index cells: 1 where the cell has a block. */
  occupiedCells(region: Region): string;
  /** List of the region's size profiles; the record's profile number is the index. */
  profiles(region: Region): string;
  /** List of the region's opening times; the record's number of opening hours is 1 + the index. */
  openingTimes(region: Region): string;
  /** Set of the regions that have or had a site in a country. */
  countryRegions(countryCode: string): string;
  /** Block of records of one index cell. */
  block(region: Region, cell: string): string;
  /** Hash: site number of 4 bytes → tally, of the sites of one index cell, those that are not filed too. */
  tallies(region: Region, cell: string): string;
  /** One site: where it is filed, and its facts. */
  site(region: Region, siteNumber: number): string;
  /** Set of the handles of the reservations that a site's agent should know. */
  siteAllowed(region: Region, siteNumber: number): string;
  /** Counter of the changes of what a site's agent may know. */
  siteAllowedVersion(region: Region, siteNumber: number): string;
  /** Hash: compartment id → the handles of the reservations that have it by name, see lua/includes/named-compartments.lua. */
  siteCompartments(region: Region, siteNumber: number): string;
  /** Hash: reservation handle, or `b` and bundle handle → hashed PIN and its validity. */
  sitePins(region: Region, siteNumber: number): string;
  /** Sorted set: hash of a credential for work at a site that was revoked → the time in ms until which it is kept. */
  siteRevoked(region: Region, siteNumber: number): string;
  /** Number of the last report recorded from one agent key. */
  agentWatermark(region: Region, siteNumber: number, keyId: string): string;
  /** One reservation: revision, message, and the entries in the region's event stream that are about it. */
  reservation(region: Region, handle: string): string;
  /** One bundle: revision and message. */
  bundle(region: Region, handle: string): string;
  /** Sorted set: reservation handle → the time in ms at which the clock moves it on. */
  deadlines(region: Region): string;
  /** Sorted set by name: handles of the reservations whose parcel is overdue. */
  overdue(region: Region): string;
  /** What the keys of a region's reservations begin with. */
  reservationPrefix(region: Region): string;
  /**
   * Hash: reservation handle → what it waits for. The names of all keys about those who wait begin with this one; which of them a script touches
   * turns out in it, so that lua/includes/queue.lua makes them.
   */
  waiting(region: Region): string;
  /** Set of the numbers of the region's sites at which somebody waits. */
  waitingSites(region: Region): string;
  /** Sorted set: handles of those that wait at a site, in their order. */
  siteQueue(region: Region, siteNumber: number): string;
  /** Sorted set: handles of those of them for which a size class would do. */
  classQueue(region: Region, siteNumber: number, classIndex: number): string;
  /** Stream of the region's custody events. */
  events(region: Region): string;
  /** Before which time in ms the region's events are in the archive, and no more in its stream. */
  archivedUntil(region: Region): string;
  /** Who archives the region now. */
  archiveLease(region: Region): string;
  /** Names the archive of these records, so that no other directory is taken for it. */
  archiveId(): string;
  /** The region of whose events a key is; undefined where it is another key. */
  regionOfEvents(key: string): Region | undefined;
  /** Says that an event of a name was recorded in the region. */
  eventMark(region: Region, name: string): string;
  /** Hash: how far the region's events are in the participants' feeds, see lua/advance-feed-watermark.lua. */
  feedWatermarks(region: Region): string;
  /** Hash: the last number of a participant's feed, and how far each region's events are in it. All of one participant's feeds lie in one slot. */
  feedHead(feed: FeedName): string;
  /** Hash: when the events of each chunk of a feed were recorded. */
  feedTimes(feed: FeedName): string;
  /** A chunk of a feed: references to events, see feeds/event-reference.ts. */
  feedChunk(feed: FeedName, index: number): string;
  /** Who delivers events to a subscriber now. All of one subscriber's keys lie in one slot. */
  deliveryLease(subscriberId: string): string;
  /** Hash: how far the delivery to a subscriber has come. */
  deliveryState(subscriberId: string): string;
  /** Sorted set: event id → the time in ms at which its delivery is tried again. */
  deliveryDue(subscriberId: string): string;
  /** Hash: event id → what is delivered then. */
  deliveryRetries(subscriberId: string): string;
  /** Hash: replay id → how far it has come. */
  deliveryReplays(subscriberId: string): string;
  /** What a mutation answered, for its repetition. */
  answer(region: Region, participantId: string, requestId: string): string;
  /** The order in which a reservation tries several regions, kept in its home region. */
  plan(region: Region, participantId: string, requestId: string): string;
  /** Set of all participant ids. */
  participants(): string;
  participant(participantId: string): string;
  /** Set of the ids of a participant's keys, publishable ones too. */
  participantKeys(participantId: string): string;
  key(keyId: string): string;
  publishableKey(publishableKey: string): string;
  /** Hash: terms number → terms. An entry never changes. */
  terms(): string;
  /** Hash: terms id → terms number. */
  termsNumbers(): string;
  /** Counter of the terms numbers. */
  termsCounter(): string;
  /** An operator's default terms for its sites in one network. */
  defaultTerms(owner: TermsOwner): string;
  /** Set of the ids of all webhook endpoints. */
  webhookEndpoints(): string;
  /** Sorted set: ids of a participant's webhook endpoints in one network, by their creation time in ms. */
  webhookEndpointsOf(participantId: string, mode: ModeName): string;
  /** Hash of one webhook endpoint, in the slot of its deliveries. */
  webhookEndpoint(endpointId: string): string;
  /** By how much the test clock of the store's gateways is ahead of the system's, in ms. */
  testClockOffset(): string;
  /** Fingerprint of the secrets that the gateways of these records share. */
  gatewaySecrets(): string;
  /** What is written for replicas to follow, in the slot of a hash tag; empty: in any. It says nothing and soon goes. */
  durabilityMark(hashTag: string): string;
}

/** Characters of a request's name: 108 bits of a hash. */
const requestNameLength = 18;

/** Key names under a prefix, which separates networks that share a server. */
export function createKeys(prefix: string): Keys {
  const regionStart = `${prefix}:{`;
  const eventsEnd = "}:events";
  const tagged = (region: Region) => `${regionStart}${region}}`;
  const site = (region: Region, siteNumber: number) => `${tagged(region)}:site:${encodeBase32(siteNumber)}`;
  // A participant's requests are many and short-lived: what names one is kept short.
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
    keptAnswer: (participantId, requestId, tie) => `${prefix}:kept-answer:${participantId}:${requestId}:${tie}`,
    siteCounter: (region) => `${tagged(region)}:site-counter`,
    occupiedCells: (region) => `${tagged(region)}:occupied-cells`,
    profiles: (region) => `${tagged(region)}:profiles`,
    openingTimes: (region) => `${tagged(region)}:opening-times`,
    countryRegions: (countryCode) => `${prefix}:country:${countryCode}:regions`,
    block: (region, cell) => `${tagged(region)}:block:${cellName(cell)}`,
    tallies: (region, cell) => `${tagged(region)}:tallies:${cellName(cell)}`,
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
    eventMark: (region, name) => `${tagged(region)}:event-mark:${name}`,
    feedWatermarks: (region) => `${tagged(region)}:logged`,
    feedHead: feed,
    feedTimes: (name) => `${feed(name)}:times`,
    feedChunk: (name, index) => `${feed(name)}:${index}`,
    deliveryLease: (subscriberId) => `${delivery(subscriberId)}:lease`,
    deliveryState: (subscriberId) => `${delivery(subscriberId)}:state`,
    deliveryDue: (subscriberId) => `${delivery(subscriberId)}:due`,
    deliveryRetries: (subscriberId) => `${delivery(subscriberId)}:retries`,
    deliveryReplays: (subscriberId) => `${delivery(subscriberId)}:replays`,
    answer: (region, participantId, requestId) => `${tagged(region)}:answer:${participantId}:${requestId}`,
    plan: (region, participantId, requestId) => `${tagged(region)}:plan:${participantId}:${requestId}`,
    participants: () => `${prefix}:participants`,
    participant: (participantId) => `${prefix}:participant:${participantId}`,
    // Not below the participant's own key: callers choose the id they ask for, and some text would name the set.
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
    durabilityMark: (hashTag) => (hashTag === "" ? `${prefix}:durability` : `${prefix}:{${hashTag}}:durability`),
  };
}
