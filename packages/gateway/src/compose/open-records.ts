import { createSiteSearch, type OwnedSiteSearch } from "@petak/allocator";
import { gatewayTerms } from "@petak/lifecycle";
import {
  createOperatorLinksStore,
  createOperatorNames,
  createParticipantStore,
  createRecords,
  createSiteCache,
  createTermsBook,
  createTermsStore,
  defaultQueueLimits,
  defaultQuotas,
  type OperatorLinksStore,
  type OperatorNames,
  type ParticipantStore,
  type QueueLimits,
  type Records,
  type SiteCache,
  type TermsBook,
} from "@petak/records";
import { createSiteIds } from "@petak/redis";
import { type CachedKeyDirectory, createCachedKeyDirectory } from "../identity/cached-key-directory.ts";
import { checkSameStore } from "../store-watch/same-store.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { type OpenArchive, openArchive } from "./open-archive.ts";

/** The stores of a gateway and their caches. */
export interface OpenRecords {
  /** The search for sites. */
  readonly search: OwnedSiteSearch;
  /** The stores without the archive, for the sweep and the archiver. */
  readonly stored: Records;
  /** The archive, and through it the stores extended by what was archived. */
  readonly archive: OpenArchive;
  readonly participants: ParticipantStore;
  readonly operatorLinks: OperatorLinksStore;
  readonly operatorNames: OperatorNames;
  readonly keyDirectory: CachedKeyDirectory;
  readonly siteCache: SiteCache;
  readonly termsBook: TermsBook;
}

/** Opens the records of a store. */
export async function openRecords(
  store: ConnectedStore,
  storeCode: string,
  options: GatewayOptions,
  stack: AsyncDisposableStack,
): Promise<OpenRecords> {
  const { logger, metrics, now = Date.now, keyPrefix = "petak" } = options;
  const { redis, keys } = store;
  const quotas = { ...defaultQuotas, ...options.quotas };
  const search = createSiteSearch({
    redis: store.writer,
    keys,
    siteIds: createSiteIds(storeCode),
    indexCache: { onError: store.onConnectionError },
  });
  stack.defer(() => search.stop());
  const stored = createRecords({
    redis: store.writer,
    prefix: keyPrefix,
    storeCode,
    // Acknowledgements count writes over the store's writer, so holds must be written over that connection.
    indexCache: store.acknowledgements === undefined ? search.indexCache : undefined,
    queueLimits: queueLimitsOf(options),
    quotas,
    audit: {
      ...(options.auditEntriesMax !== undefined && { entriesMax: options.auditEntriesMax }),
      onlyArchived: options.archive !== undefined,
    },
  });
  await stored.issuedCredentials.begin(now());
  const archive = openArchive({ ...options.archive, records: stored, keyPrefix, now, logger, logFailure: store.watch.logFailure, metrics });
  const participants = createParticipantStore(store.writer, store.keys, quotas);
  const operatorLinks = createOperatorLinksStore(store.writer, store.keys);
  const operatorNames = createOperatorNames(participants, now);
  const siteCache = createSiteCache(archive.records.sites);
  const termsBook = createTermsBook(createTermsStore(store.writer, stored.terms, keys, quotas), gatewayTerms(options), now);
  // After a failover, numbers that were lost may be assigned again to other sites and terms.
  redis.on("ready", () => {
    siteCache.clear();
    termsBook.clear();
    operatorNames.clear();
    void checkSameStore({ redis, keys, storeCode, logFailure: store.watch.logFailure, onOther: leaveStore });
  });
  function leaveStore(error: Error): void {
    logger.error({ reason: error.message }, "the gateway disconnects from Redis");
    // Without a connection all calls get STORE_UNAVAILABLE, and the gateway is no longer ready.
    search.stop();
    redis.disconnect();
  }
  const keyDirectory = createCachedKeyDirectory(participants, now);
  return { search, stored, archive, participants, operatorLinks, operatorNames, keyDirectory, siteCache, termsBook };
}

function queueLimitsOf({ queueSiteMax, queueShareMax, queueRegionShareMax }: GatewayOptions): QueueLimits {
  const { siteMax, shareMax, regionShareMax } = defaultQueueLimits;
  return {
    siteMax: queueSiteMax ?? siteMax,
    shareMax: queueShareMax ?? shareMax,
    regionShareMax: queueRegionShareMax ?? regionShareMax,
  };
}
