import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { toIssuerKeySet, toJwks } from "@petak/credential";
import { gatewayTerms } from "@petak/lifecycle";
import {
  AgentService,
  CustodyService,
  DirectoryService,
  ParticipantService,
  prepareValidation,
  ReservationService,
  WebhookService,
} from "@petak/protocol";
import { Health, ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";
import {
  createAllocator,
  createParticipantFeeds,
  createParticipantStore,
  createSecretsFingerprintStore,
  createSiteCache,
  createTermsBook,
  createTermsStore,
  createWebhookStore,
  defaultQueueLimits,
  type QueueLimits,
} from "@petak/records";
import {
  type Acknowledgements,
  connectRedis,
  createKeys,
  dropSilent,
  isCommandTimeout,
  type RedisAddress,
  type RedisConnection,
  redisAddressText,
} from "@petak/redis";
import { type AdminIdentity, registerAdmin } from "./admin.ts";
import { type DurabilityOptions, replicatedAcknowledgements, requireDurability } from "./durability.ts";
import { createCachedKeyDirectory } from "./identity/cached-key-directory.ts";
import { callerKey, createAuthenticator, createIdentityStep } from "./identity/index.ts";
import type { Logger, Metrics } from "./observability/index.ts";
import { type ArchiveOptions, openArchive } from "./open-archive.ts";
import { createReceipts } from "./receipts/receipts.ts";
import { createHealth, createReflection } from "./rpc/index.ts";
import { createStoreFailureStep } from "./rpc/store-failure-step.ts";
import { requireSharedSecrets } from "./secrets/check-shared-secrets.ts";
import { type GatewaySecrets, loadGatewaySecrets } from "./secrets/gateway-secrets.ts";
import { epochsToTell, issuerKeyPeriods } from "./secrets/issuer-epochs.ts";
import { secretsIntervalMs, watchSecrets } from "./secrets/secrets-watch.ts";
import {
  type CallLimits,
  createOnePortServer,
  createRequestListener,
  defaultCallLimits,
  json,
  operationalRoutes,
  type ServerAddress,
  type ServerLimits,
} from "./server/index.ts";
import { createAgentService } from "./services/agents.ts";
import { createCredentialIssuer } from "./services/credential-issuer.ts";
import { createCustodyService } from "./services/custody.ts";
import { createDirectoryService } from "./services/directory.ts";
import { createEventView } from "./services/event-view.ts";
import { createFeedReader } from "./services/feed-reader.ts";
import { nearestDecoder } from "./services/nearest-decoder.ts";
import { optionsEncoder } from "./services/options-encoder.ts";
import { createParticipantService } from "./services/participants.ts";
import { createReservationService } from "./services/reservations.ts";
import { reserveDecoder } from "./services/reserve-decoder.ts";
import { reserveEncoder } from "./services/reserve-encoder.ts";
import { createWebhookService } from "./services/webhooks.ts";
import { whenDurable } from "./services/when-durable.ts";
import { followStoreClock } from "./store-clock.ts";
import { watchStore } from "./store-watch/store-watch.ts";
import { startSweep } from "./sweep.ts";
import { createWebhookSending, type WebhookOptions } from "./webhooks/webhook-sending.ts";

/** How a gateway is set up. */
export interface GatewayOptions {
  /** Where its records are. */
  redis: RedisAddress;
  /** How safe a change is when it is answered. Default: as its server keeps it, whatever that is. */
  durability?: DurabilityOptions;
  /** What separates its keys from those of others on the same server. Default `petak`. */
  keyPrefix?: string;
  /** Folder of its own files: its secrets. */
  dataDir: string;
  /** What request tokens must have in `aud`. */
  audience: string;
  host: string;
  /** 0: any free port. */
  port: number;
  tls?: { cert: string; key: string };
  callLimits?: Partial<CallLimits>;
  serverLimits?: Partial<ServerLimits>;
  /** How long a stop waits for what is in flight, in ms. */
  shutdownGraceMs: number;
  /** How long a place is held where the caller does not say, and at most, in ms. */
  holdDefaultMs: number;
  holdMaxMs: number;
  /** How long a depositor has where the caller does not say, in ms. */
  depositDefaultMs: number;
  /** How long a collector has after the deposit where neither site nor operator says, in ms. */
  collectWithinMs: number;
  /** How long a parcel may lie at most after the deposit, however often it is extended, where neither site nor operator says, in ms. */
  storageMaxMs: number;
  /** How many reservations may wait at one site, and of one participant at one site and in one region. Default: the allocator's. */
  queueSiteMax?: number;
  queueShareMax?: number;
  queueRegionShareMax?: number;
  /** Pause between two sweeps for passed deadlines, in ms. */
  sweepIntervalMs: number;
  /** How often agents call Sync, in ms. */
  agentSyncIntervalMs: number;
  /** How often the secrets are read again, in ms. Default 10,000: a rotation has an hour for it. */
  secretsIntervalMs?: number;
  /** Where webhooks may be sent, and how many at once. Default: to public addresses over TLS. */
  webhooks?: WebhookOptions;
  /** Where ended reservations and old events go, and when. Default: they stay. */
  archive?: ArchiveOptions;
  /** Who runs it. */
  admin?: AdminIdentity;
  logger: Logger;
  metrics: Metrics;
  /** The clock, in ms. Default: the system's. */
  now?: () => number;
  /** Whether nothing is ended by the clock before Redis's clock says so too. Default: where no other clock is given. */
  followsStoreClock?: boolean;
  /** Whether plain unary calls go the lean path. Default true; false where the two paths are compared. */
  hasLeanPath?: boolean;
  /** Whether plain calls over HTTP/1.1 are read without Node's server. Default true; false where the two are compared. */
  hasLane?: boolean;
}

/** A gateway that runs. */
export interface Gateway {
  readonly address: ServerAddress;
  /** Takes no more calls, finishes what is in flight, and gives everything back. */
  stop(): Promise<void>;
}

const services = [DirectoryService, ReservationService, CustodyService, AgentService, ParticipantService, WebhookService];

/** The file with a gateway's secrets, in its data directory. */
export const secretsFileName = "gateway-secrets.json";

/**
 * How long a start waits until it is known where sites are, in ms: much longer than the reading takes. Where the server cannot say what changes,
 * calls are answered without.
 */
const directoryTimeoutMs = 5000;

/** How long a start waits for replicas, in ms. */
const replicasTimeoutMs = 2000;

/** How long a stop waits for webhooks under way, in ms: most are answered by then, and the others are sent again by another gateway. */
const webhookGraceMs = 2000;

/** Services that tell nothing of the network and need no caller: whether the gateway is well, and what it speaks. */
const publicServices: ReadonlySet<string> = new Set([Health.typeName, ServerReflectionV1.typeName, ServerReflectionV1Alpha.typeName]);

/**
 * Starts a gateway and resolves when it takes calls.
 *
 * @throws {ServerStartError} where it cannot listen; {@link StoreStartError} where Redis cannot be reached or takes no changes.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, metrics, now = Date.now, keyPrefix = "petak" } = options;
  const onError = (error: Error) => {
    metrics.redisConnectionErrors.inc();
    storeWatch.connectionFailed(error);
  };
  // Before anything is connected: no answer is waited for meanwhile.
  prepareValidation(services);
  const { redis: address } = options;
  const redis = connectRedis(address, { onError });
  const keys = createKeys(keyPrefix);
  let acknowledgements: Acknowledgements | undefined;
  const storeWatch = watchStore({
    redis,
    keys,
    address: redisAddressText(address),
    logger,
    metrics,
    areFollowed: () => acknowledgements?.areFollowed ?? true,
  });
  const { tell } = storeWatch;
  const stopping = new AbortController();
  const undo: (() => Promise<void> | void)[] = [() => redis.disconnect(), () => storeWatch.stop()];
  const undoAll = async () => {
    for (const step of undo.toReversed()) await step();
  };

  try {
    await redis.connect();
    if (options.durability !== undefined) await requireDurability(redis, options.durability, logger);
    acknowledgements = replicatedAcknowledgements(redis, keys, options.durability, onError);
    undo.push(() => acknowledgements?.stop());
    const writer = acknowledgements?.connection ?? redis;
    const isAccountedFor = acknowledgements !== undefined;
    const records = createAllocator({
      redis: writer,
      prefix: keyPrefix,
      indexCache: { onError },
      isAccountedFor,
      queueLimits: queueLimitsOf(options),
    });
    undo.push(() => records.stop());
    const archive = openArchive({ ...options.archive, records, keyPrefix, now, logger, tell, metrics });
    const { allocator } = archive;
    const participants = createParticipantStore(writer, keys);
    const secretsPath = join(options.dataDir, secretsFileName);
    const identityStore = createSecretsFingerprintStore(redis, keys);
    const secretsFile = await loadGatewaySecrets(secretsPath, now);
    await requireSharedSecrets(identityStore, secretsFile, secretsPath);
    const secretsWatch = watchSecrets({
      secrets: secretsFile,
      path: secretsPath,
      store: identityStore,
      now,
      intervalMs: options.secretsIntervalMs ?? secretsIntervalMs,
      logger,
      tell,
    });
    undo.push(() => secretsWatch.stop());
    const secrets: GatewaySecrets = { ...secretsFile, issuerEpochs: secretsWatch.issuerEpochs };
    if (options.admin !== undefined) await registerAdmin(participants, options.admin, now());
    const keyDirectory = createCachedKeyDirectory(participants, now);
    const siteCache = createSiteCache(allocator.sites);
    // What a failover has lost may be given out again for something else.
    const termsBook = createTermsBook(createTermsStore(writer, keys), gatewayTerms(options), now);
    let tail: RedisConnection | undefined;
    redis.on("ready", () => {
      // What hears of events asks for no change, by which it would notice that it is to be led to the new master as well.
      if (storeWatch.isReplica && tail !== undefined) dropSilent(tail);
      siteCache.clear();
      termsBook.clear();
    });
    const feeds = createParticipantFeeds({
      redis,
      recordedOver: writer,
      events: allocator.events,
      archive: allocator.feedArchive,
      connect() {
        tail = connectRedis(address, { onError });
        return tail;
      },
      keys: allocator.keys,
      onError: (error) => tell("participants' feeds", error),
      ...(acknowledgements === undefined
        ? {}
        : { acknowledge: acknowledgements.acknowledge, acknowledgedWithinMs: acknowledgements.withinMs }),
    });
    undo.push(() => feeds.stop());
    const reader = createFeedReader(feeds);
    const isByStore = options.followsStoreClock ?? options.now === undefined;
    const storeClock = isByStore ? followStoreClock({ redis, now, logger }) : undefined;
    undo.push(() => storeClock?.stop());
    const sweep = startSweep({
      allocator: records,
      release: archive.release,
      termsBook,
      now: storeClock?.now ?? now,
      intervalMs: options.sweepIntervalMs,
      onError: (error) => tell("the sweep", error),
    });
    undo.push(() => sweep.stop());
    const stopArchiving = archive.start(feeds.build);
    undo.push(stopArchiving);

    const webhooks = createWebhookSending({
      ...options.webhooks,
      allocator,
      store: createWebhookStore(writer, keys),
      reader,
      feeds,
      derivationKey: secrets.derivationKey,
      audience: options.audience,
      now,
      logger,
      tell,
      metrics,
    });

    const health = createHealth(services.map(({ typeName }) => typeName));
    const reflection = createReflection([...services, Health]);
    const credentials = createCredentialIssuer(secrets);
    const receipts = createReceipts(secrets);
    const routes = (router: ConnectRouter) => {
      const serve = <Service extends DescService>(service: Service, implementation: ServiceImpl<Service>) =>
        router.service(service, whenDurable(service, implementation, acknowledgements));
      serve(DirectoryService, createDirectoryService({ allocator, siteCache, termsBook, now }));
      serve(
        ReservationService,
        createReservationService({ ...options, allocator, siteCache, termsBook, credentials, receipts, reader, now }),
      );
      serve(
        CustodyService,
        createCustodyService({
          allocator,
          keys: keyDirectory,
          receipts,
          feeds,
          reader,
          view: createEventView(options.audience, siteCache),
          now,
          stopping: stopping.signal,
          stillValid: authenticator.recheck,
          waitingPollsMax: Math.ceil((options.callLimits?.maxConcurrentCalls ?? defaultCallLimits.maxConcurrentCalls) / 2),
        }),
      );
      serve(
        AgentService,
        createAgentService({
          allocator,
          secrets,
          keys: keyDirectory,
          receipts,
          now,
          syncIntervalMs: options.agentSyncIntervalMs,
          termsBook,
        }),
      );
      serve(ParticipantService, createParticipantService({ allocator, participants, keyDirectory, now }));
      serve(WebhookService, createWebhookService({ ...webhooks, allocator, derivationKey: secrets.derivationKey, now }));
      health.routes(router);
      reflection.routes(router);
    };
    const authenticator = createAuthenticator({ keys: keyDirectory, audience: options.audience, now });
    const onCallFailed = (error: Error) => {
      // The next calls fail at once then, where they would wait in turn behind a server that hangs.
      if (isCommandTimeout(error)) dropSilent(redis);
      tell("a call", error);
    };
    const plainRoutes = operationalRoutes({
      metrics,
      logger,
      checks: { redis: storeWatch.requireAnswers, secrets: () => void secrets.issuerEpochs() },
      notes: () => ({ ...archive.notes(), changes: storeWatch.takesChanges ? "ok" : "refused" }),
      isServing: health.isServing,
    });
    plainRoutes.set("/.well-known/petak/jwks.json", () => ({
      ...json(toJwks(epochsToTell(secretsFile.issuerEpochs(), now()).map(({ key }) => key))),
      headers: { "cache-control": "public, max-age=300" },
    }));
    // Beside the keys that agents rely on: whoever verifies a receipt needs those that signed years ago, and must not open a door by them.
    plainRoutes.set("/.well-known/petak/issuer-keys.json", () => ({
      ...json(toIssuerKeySet([...secretsFile.pastKeys(), ...issuerKeyPeriods(secretsFile.issuerEpochs())])),
      headers: { "cache-control": "public, max-age=300" },
    }));
    const server = createOnePortServer({
      requestListener: createRequestListener({
        routes,
        steps: [createIdentityStep({ authenticator, publicServices }), createStoreFailureStep(onCallFailed)],
        limits: options.callLimits ?? {},
        codecs: { encoders: [optionsEncoder, reserveEncoder], decoders: [nearestDecoder, reserveDecoder] },
        logger,
        metrics,
        shutdownSignal: stopping.signal,
        plainRoutes,
        ...(options.hasLeanPath === undefined ? {} : { hasLeanPath: options.hasLeanPath }),
        ...(options.hasLane === undefined ? {} : { hasLane: options.hasLane }),
        describeCaller: (values) => values.get(callerKey)?.participantId,
      }),
      logger,
      metrics,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      limits: options.serverLimits ?? {},
    });
    if (!(await allocator.ready(directoryTimeoutMs))) {
      logger.warn({ timeoutMs: directoryTimeoutMs }, "where sites are has not been read, and searches that go far take longer at first");
    }
    if (acknowledgements !== undefined && !(await acknowledgements.ready(replicasTimeoutMs))) {
      logger.warn({ timeoutMs: replicasTimeoutMs }, "too few replicas follow, and changes are refused until more do");
    }
    const listening = await server.listen({ host: options.host, port: options.port });
    health.setServing(true);
    const dispatcher = webhooks.start();
    undo.push(() => dispatcher.stop(webhookGraceMs));
    undo.push(async () => {
      health.setServing(false);
      stopping.abort();
      await server.close(options.shutdownGraceMs);
    });
    logger.info({ host: listening.host, port: listening.port }, "gateway listens");
    return { address: listening, stop: once(undoAll) };
  } catch (error) {
    await undoAll();
    throw storeWatch.explain(error);
  }
}

function queueLimitsOf({ queueSiteMax, queueShareMax, queueRegionShareMax }: GatewayOptions): QueueLimits {
  const { siteMax, shareMax, regionShareMax } = defaultQueueLimits;
  return {
    siteMax: queueSiteMax ?? siteMax,
    shareMax: queueShareMax ?? shareMax,
    regionShareMax: queueRegionShareMax ?? regionShareMax,
  };
}

/** Runs work the first time and gives the same promise ever after. */
function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
