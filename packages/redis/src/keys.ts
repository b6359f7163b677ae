import { hash } from "node:crypto";
import { encodeBase32, type ModeName, type Region } from "@petak/protocol";

/** Identifies a feed: a participant's, in the test or the live network. */
export interface FeedName {
  readonly participantId: string;
  readonly mode: ModeName;
}

/** A participant's own key, that of one of its agents, or a publishable key. */
export type KeyKind = "own" | "agent" | "publishable";

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
  /** The audience that request tokens must name. */
  audience(): string;
  /** Set of the regions that have or had a site. */
  regions(): string;
  /** Hash: participant id → operator number, as used in the index records. */
  operatorNumbers(): string;
  /** Counter of the operator numbers. */
  operatorCounter(): string;
  /** Set of an operator's own references of its sites in one network, which is counted. */
  operatorSites(mode: ModeName, operatorId: string): string;
  /** Hash: an operator's own reference → site id, without the store code. */
  operatorSiteRefs(operatorId: string): string;
  /** Fingerprint of the body that a participant first sent with an idempotency key, whatever the region. */
  requestId(participantId: string, requestId: string): string;
  /** Marker that a key's proof of a call was used. */
  usedProof(keyId: string, proofId: string): string;
  /** Stored response of a request that changed several regions, with its fingerprint. */
  multiRegionResponse(participantId: string, requestId: string, fingerprint: string): string;
  /** Counter of the region's site numbers. */
  siteCounter(region: Region): string;
  /** Bitmap of the region's 7^5 index cells: 1 if the cell has a block. */
  occupiedCells(region: Region): string;
  /** Sorted set: size profile of the region → its sequence number, of which a record has the lowest 24 bits. */
  profiles(region: Region): string;
  /** Hash: which records name size profiles, see lua/includes/region-lists.lua. */
  profileUses(region: Region): string;
  /** Sorted set: opening times of the region → their sequence number, of which a record has the lowest 24 bits. */
  openingTimes(region: Region): string;
  /** Hash: which records name opening times, see lua/includes/region-lists.lua. */
  openingTimesUses(region: Region): string;
  /** Lists of size profiles and opening times, up to version 2 of the store's data. */
  formerProfiles(region: Region): string;
  formerOpeningTimes(region: Region): string;
  /** Set of the regions that have or had a site in a country. */
  countryRegions(countryCode: string): string;
  /** Block of index records of one index cell. */
  block(region: Region, cell: string): string;
  /** Hash: site number as 4 bytes → site counts, of the sites of one index cell, including those that are not in the index. */
  siteCounts(region: Region, cell: string): string;
  /** One site: its place in the index, and its facts. */
  site(region: Region, siteNumber: number): string;
  /** Hash: site number → the changes of the site that its reservations have not been told of, see lua/put-site.lua. */
  siteChanges(region: Region): string;
  /** Hash: site number → that the site has fewer usable places than it holds, see lua/includes/shortages.lua. */
  siteShortages(region: Region): string;
  /** Sorted set: site number → when the site's reservations were last told of its changes, in ms. */
  sitesTold(region: Region): string;
  /** Sorted set: numbers of the retired sites → when they were retired, in ms. */
  retiredSites(region: Region): string;
  /** Sorted set: numbers of the sites whose intake is paused until a time → that time, in ms. */
  sitePauses(region: Region): string;
  /** Sorted set: numbers of the region's sites in the order of their last changes, see lua/includes/listed-sites.lua. */
  listedSites(region: Region): string;
  /** Bitmap: 1 for the number of a site that has ended. */
  endedSites(region: Region): string;
  /** Set of the handles of the reservations that a site's agent is given. */
  siteAllowed(region: Region, siteNumber: number): string;
  /** Counter that increases with each change of what a site's agent is given. */
  siteAllowedVersion(region: Region, siteNumber: number): string;
  /** List: the last changes of what a site's agent is given, see lua/includes/allowed-changes.lua. */
  siteAllowedChanges(region: Region, siteNumber: number): string;
  /** Hash: compartment id → handles of the reservations with a hard hold on it, see lua/includes/named-compartments.lua. */
  siteCompartments(region: Region, siteNumber: number): string;
  /** Hash: reservation handle, or `b` and bundle handle → hashed PIN and its validity period; and the key's generation, see lua/includes/pins.lua. */
  sitePins(region: Region, siteNumber: number): string;
  /** Set of fields of {@link sitePins} that have ended with the site's key for PINs, and whose holders have not been told. */
  sitePinsEnded(region: Region, siteNumber: number): string;
  /** Sorted set: hash of a revoked service credential of a site → the time in ms at which the entry expires. */
  siteRevoked(region: Region, siteNumber: number): string;
  /** Sorted set: `S` and the hash of a token for SERVICE that was issued for a site → the time in ms at which the entry expires. */
  siteIssued(region: Region, siteNumber: number): string;
  /**
   * Sorted set of a reservation, by its handle, or a bundle, by `b` and its handle: `d`, `c`, `r` (a token's act, a capital if it is bound) or `p` (a PIN) and the hash of an issued
   * credential → an hour after its end, in ms; of a reservation also `b` and the handle of a bundle that it left → when, in ms.
   */
  issued(region: Region, subject: string): string;
  /** Sorted set: ids of the reservations of an operator's sites in one network that have a label code → when they were confirmed, in ms. */
  labelled(mode: ModeName, operatorId: string, code: string): string;
  /** Time in ms from which on every issued credential is recorded. */
  issuedSince(): string;
  /** Refusals that were reported of a site within a minute, see records/src/sites/refusal-counts.ts. */
  siteRefusals(region: Region, siteNumber: number): string;
  /** Hash: key and id of a report of a device that is not in charge → the report. */
  siteReportsApart(region: Region, siteNumber: number): string;
  /** How far the reports of one agent key are recorded. lua/includes/report-watermark.lua derives {@link agentLease} and {@link siteAgent} from this name. */
  agentWatermark(region: Region, siteNumber: number, keyId: string): string;
  /** Hash: the last epoch that was given to one agent key, see lua/take-epoch.lua. */
  agentLease(region: Region, siteNumber: number, keyId: string): string;
  /** One reservation: revision, message, and the ids of its entries in the region's event stream. */
  reservation(region: Region, handle: string): string;
  /** One bundle: revision and message. */
  bundle(region: Region, handle: string): string;
  /** Sorted set: reservation handle → its next deadline in ms. */
  deadlines(region: Region): string;
  /** Sorted set, all scores equal: handles of the reservations whose parcel is overdue. */
  overdue(region: Region): string;
  /**
   * Hash: participant in a network, and a site number as 4 bytes → numbers of its held reservations there. All keys about held reservations begin with this name,
   * since lua/includes/holds.lua derives them.
   */
  held(region: Region): string;
  /** Sorted set: handle → when the hold expires in ms, of a participant's held reservations. */
  heldBy(region: Region, sharer: string): string;
  /** Common prefix of the keys of a region's reservations. */
  reservationPrefix(region: Region): string;
  /**
   * Hash: reservation handle → what the queued reservation waits for. All keys about queues begin with this name, since
   * lua/includes/queue.lua derives them: which of them a script touches is known only while it runs.
   */
  waiting(region: Region): string;
  /** Set of the numbers of the region's sites that have a queue. */
  waitingSites(region: Region): string;
  /** Hash: participant in a network, or that and a site number → number of its queued reservations. */
  queueShares(region: Region): string;
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
  /** Hash: operator id → the links that it shows in one network. */
  operatorLinks(mode: ModeName): string;
  participant(participantId: string): string;
  /**
   * Sorted set: ids of a participant's keys of one kind in one network → when they were made, in ms; of revoked ones, minus the time of the revocation.
   */
  keysOf(kind: KeyKind, mode: ModeName, participantId: string): string;
  /** Set of the ids of a participant's keys, up to version 2 of the store's data. */
  formerKeysOf(participantId: string): string;
  key(keyId: string): string;
  publishableKey(publishableKey: string): string;
  /** An enrolment, by its id. */
  enrolment(enrolmentId: string): string;
  /** What ended an enrolment: see records/src/participants/enrolments.ts. */
  enrolmentEnd(enrolmentId: string): string;
  /** Hash: a command and what became of it, see records/src/commands/commands.ts. */
  command(commandId: string): string;
  /** Sorted set: ids of commands that are open → when the sweep ends them, in ms. */
  commandsDue(): string;
  /** Sorted set: ids of a site's latest commands → when they were accepted, in ms. */
  siteCommands(region: Region, siteNumber: number): string;
  /** Sorted set: ids of a site's open commands → when they end, in ms. */
  siteOpenCommands(region: Region, siteNumber: number): string;
  /** Counter of commands of one subject in one period. */
  commandCount(subject: string, period: string): string;
  /** Hash: key id → the permission to sign commands to an operator's sites in one network. */
  commandKeys(mode: ModeName, operatorId: string): string;
  /** Stream of one network's administrative changes, see records/src/audit/audit-log.ts. */
  auditEntries(mode: ModeName): string;
  /** List of the ids of one participant's or the gateway's own {@link auditEntries}, in their slot. */
  auditEntriesOf(mode: ModeName, makerId: string): string;
  /** Hash: whose {@link auditEntries} were dropped, and until when, in their slot. */
  auditDropped(mode: ModeName): string;
  /** The id of the last of the {@link auditEntries} that is archived, in their slot. */
  auditArchivedUntil(mode: ModeName): string;
  /** Hash: fact of the gateway that its {@link auditEntries} tell → its last value, in their slot. */
  auditFacts(mode: ModeName): string;
  /** Hash: how far the change of one request with one body is recorded in {@link auditEntries}, in its slot. */
  auditedRequest(mode: ModeName, participantId: string, requestId: string, fingerprint: string): string;
  /** The key of the enrolled device that is in charge of a site. */
  siteAgent(region: Region, siteNumber: number): string;
  /** Sorted set: ids of a site's latest enrolments → when they were made, in ms. */
  siteEnrolments(region: Region, siteNumber: number): string;
  /** Hash: terms number → terms. Entries never change. */
  terms(): string;
  /** Hash: terms id → terms number. */
  termsNumbers(): string;
  /** Counter of the terms numbers. */
  termsCounter(): string;
  /** Set of hashes of the terms that an operator has stated in one network, which is counted. */
  operatorTerms(owner: TermsOwner): string;
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
  /** Hash: id of a gateway → what its callers use of it, while any uses much. */
  callersUse(): string;
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
  const held = (region: Region) => `${tagged(region)}:held`;
  const waiting = (region: Region) => `${tagged(region)}:waiting`;
  const siteQueue = (region: Region, siteNumber: number) => `${waiting(region)}:${siteNumber}`;
  const cellName = (cell: string) => cell.slice(6, 10);
  return {
    prefix,
    storeCode: () => `${prefix}:store-code`,
    audience: () => `${prefix}:audience`,
    regions: () => `${prefix}:regions`,
    operatorNumbers: () => `${prefix}:operator-numbers`,
    operatorCounter: () => `${prefix}:operator-counter`,
    operatorSites: (mode, operatorId) => `${prefix}:operator-sites:${mode}:${operatorId}`,
    operatorSiteRefs: (operatorId) => `${prefix}:operator:${operatorId}:refs`,
    requestId: (participantId, requestId) => `${prefix}:req:${requestName(participantId, requestId)}`,
    usedProof: (keyId, proofId) => `${prefix}:proof:${keyId}:${proofId}`,
    multiRegionResponse: (participantId, requestId, fingerprint) => `${prefix}:kept-answer:${participantId}:${requestId}:${fingerprint}`,
    siteCounter: (region) => `${tagged(region)}:site-counter`,
    occupiedCells: (region) => `${tagged(region)}:occupied-cells`,
    profiles: (region) => `${tagged(region)}:size-profiles`,
    profileUses: (region) => `${tagged(region)}:size-profiles:uses`,
    formerProfiles: (region) => `${tagged(region)}:profiles`,
    openingTimes: (region) => `${tagged(region)}:site-hours`,
    openingTimesUses: (region) => `${tagged(region)}:site-hours:uses`,
    formerOpeningTimes: (region) => `${tagged(region)}:opening-times`,
    countryRegions: (countryCode) => `${prefix}:country:${countryCode}:regions`,
    block: (region, cell) => `${tagged(region)}:block:${cellName(cell)}`,
    siteCounts: (region, cell) => `${tagged(region)}:tallies:${cellName(cell)}`,
    site,
    retiredSites: (region) => `${tagged(region)}:retired-sites`,
    sitePauses: (region) => `${tagged(region)}:site-pauses`,
    listedSites: (region) => `${tagged(region)}:listed-sites`,
    endedSites: (region) => `${tagged(region)}:ended-sites`,
    siteChanges: (region) => `${tagged(region)}:site-changes`,
    siteShortages: (region) => `${tagged(region)}:site-shortages`,
    sitesTold: (region) => `${tagged(region)}:sites-told`,
    siteAllowed: (region, siteNumber) => `${site(region, siteNumber)}:allowed`,
    siteAllowedVersion: (region, siteNumber) => `${site(region, siteNumber)}:allowed-version`,
    siteAllowedChanges: (region, siteNumber) => `${site(region, siteNumber)}:allowed-changes`,
    siteCompartments: (region, siteNumber) => `${site(region, siteNumber)}:compartments`,
    sitePins: (region, siteNumber) => `${site(region, siteNumber)}:pins`,
    sitePinsEnded: (region, siteNumber) => `${site(region, siteNumber)}:pins-ended`,
    siteRevoked: (region, siteNumber) => `${site(region, siteNumber)}:revoked`,
    siteIssued: (region, siteNumber) => `${site(region, siteNumber)}:issued`,
    issued: (region, subject) => `${tagged(region)}:issued:${subject}`,
    // Hashed, so that no name has a stranger's text, and short.
    labelled: (mode, operatorId, code) =>
      `${prefix}:label:${hash("sha256", `${mode} ${operatorId} ${code}`, "base64url").slice(0, requestNameLength)}`,
    issuedSince: () => `${prefix}:credentials-since`,
    siteRefusals: (region, siteNumber) => `${site(region, siteNumber)}:refusals`,
    siteReportsApart: (region, siteNumber) => `${site(region, siteNumber)}:reports-apart`,
    agentWatermark: (region, siteNumber, keyId) => `${site(region, siteNumber)}:watermark:${keyId}`,
    agentLease: (region, siteNumber, keyId) => `${site(region, siteNumber)}:lease:${keyId}`,
    reservation: (region, handle) => `${tagged(region)}:res:${handle}`,
    bundle: (region, handle) => `${tagged(region)}:bundle:${handle}`,
    deadlines: (region) => `${tagged(region)}:deadlines`,
    overdue: (region) => `${tagged(region)}:overdue`,
    held,
    heldBy: (region, sharer) => `${held(region)}:${sharer}`,
    reservationPrefix: (region) => `${tagged(region)}:res:`,
    waiting,
    waitingSites: (region) => `${waiting(region)}:sites`,
    queueShares: (region) => `${waiting(region)}:shares`,
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
    operatorLinks: (mode) => `${prefix}:operator-links:${mode}`,
    participants: () => `${prefix}:participants`,
    participant: (participantId) => `${prefix}:participant:${participantId}`,
    // Not nested under the participant's own key: participant ids are chosen by callers, and some id could collide with the set's name.
    keysOf: (kind, mode, participantId) => `${prefix}:keys-of:${kind}:${mode}:${participantId}`,
    formerKeysOf: (participantId) => `${prefix}:participant-keys:${participantId}`,
    key: (keyId) => `${prefix}:key:${keyId}`,
    publishableKey: (publishableKey) => `${prefix}:publishable-key:${publishableKey}`,
    enrolment: (enrolmentId) => `${prefix}:enrolment:${enrolmentId}`,
    enrolmentEnd: (enrolmentId) => `${prefix}:enrolment-end:${enrolmentId}`,
    command: (commandId) => `${prefix}:command:${commandId}`,
    commandsDue: () => `${prefix}:commands-due`,
    siteCommands: (region, siteNumber) => `${site(region, siteNumber)}:commands`,
    siteOpenCommands: (region, siteNumber) => `${site(region, siteNumber)}:open-commands`,
    commandCount: (subject, period) => `${prefix}:command-count:${subject}:${period}`,
    commandKeys: (mode, operatorId) => `${prefix}:command-keys:${mode}:${operatorId}`,
    auditEntries: (mode) => `${prefix}:{audit-${mode}}:entries`,
    auditEntriesOf: (mode, makerId) => `${prefix}:{audit-${mode}}:by:${makerId}`,
    auditDropped: (mode) => `${prefix}:{audit-${mode}}:dropped`,
    auditArchivedUntil: (mode) => `${prefix}:{audit-${mode}}:archived-until`,
    auditFacts: (mode) => `${prefix}:{audit-${mode}}:facts`,
    auditedRequest: (mode, participantId, requestId, fingerprint) =>
      `${prefix}:{audit-${mode}}:request:${requestName(participantId, `${requestId} ${fingerprint}`)}`,
    siteAgent: (region, siteNumber) => `${site(region, siteNumber)}:agent`,
    siteEnrolments: (region, siteNumber) => `${site(region, siteNumber)}:enrolments`,
    terms: () => `${prefix}:terms`,
    termsNumbers: () => `${prefix}:terms-numbers`,
    termsCounter: () => `${prefix}:terms-counter`,
    operatorTerms: ({ operatorId, isTest }) => `${prefix}:operator-terms:${isTest ? "test" : "live"}:${operatorId}`,
    defaultTerms: ({ operatorId, isTest }) => `${prefix}:default-terms:${isTest ? "test" : "live"}:${operatorId}`,
    webhookEndpoints: () => `${prefix}:webhook-endpoints`,
    webhookEndpointsOf: (participantId, mode) => `${prefix}:webhook-endpoints-of:${mode}:${participantId}`,
    webhookEndpoint: (endpointId) => `${prefix}:{${endpointId}}:endpoint`,
    testClockOffset: () => `${prefix}:test-clock-offset`,
    gatewaySecrets: () => `${prefix}:gateway-secrets`,
    dataVersion: () => `${prefix}:data-version`,
    callersUse: () => `${prefix}:callers-use`,
    replicationMarker: (hashTag) => (hashTag === "" ? `${prefix}:durability` : `${prefix}:{${hashTag}}:durability`),
  };
}
