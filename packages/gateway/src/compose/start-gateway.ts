import { prepareValidation } from "@petak/protocol";
import { createUsedProofs, createWebhookStore, type DataVersionError, openTestClock } from "@petak/records";
import type { Acknowledgements } from "@petak/redis";
import { createWebhookSending } from "../features/webhook/delivery/webhook-sending.ts";
import { createAuthenticator, createCallerAccounts, createIdentityStep, createKeyCheck, createProofCheck } from "../identity/index.ts";
import { testNetworkAuthenticator } from "../identity/test-network-authenticator.ts";
import { createStoreFailureStep, defaultCallLimits, isOpenCall } from "../transport/index.ts";
import { startBackgroundTasks } from "./background-tasks.ts";
import { createCallersShares, toldUses } from "./callers-shares.ts";
import { shareCallersUse } from "./callers-use.ts";
import { type ConnectedStore, connectStore, prepareStore } from "./connect-store.ts";
import { enterStore } from "./enter-store.ts";
import { findAudience } from "./find-audience.ts";
import type { Gateway, GatewayOptions } from "./gateway-options.ts";
import { createGrowthStep } from "./growth-step.ts";
import { openFeeds } from "./open-feeds.ts";
import { openIdentity } from "./open-identity.ts";
import { openPorts } from "./open-ports.ts";
import { type OpenRecords, openRecords } from "./open-records.ts";
import { openTracing } from "./open-tracing.ts";
import { createPlainPages } from "./plain-pages.ts";
import { createServices, services } from "./services.ts";

/**
 * How long a start waits for the directory of occupied cells, in ms: much longer than reading it takes. Without it, the first searches over long
 * distances read it themselves.
 */
const directoryTimeoutMs = 5000;

/** How long a start waits for replicas, in ms. */
const replicasTimeoutMs = 2000;

/** How long a stop waits for webhook attempts in flight, in ms: most have ended by then, and another gateway sends the others again. */
const webhookGraceMs = 2000;

/**
 * Starts a gateway. Resolves when it accepts calls.
 *
 * @throws {ServerStartError} if it cannot listen; {@link StoreStartError} if Redis is unreachable or rejects writes; {@link DataVersionError} if this release
 *   must not use the store's data.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  // Compiled before connecting, while no call is waiting.
  prepareValidation(services);
  const stack = new AsyncDisposableStack();
  let acknowledgements: Acknowledgements | undefined;
  const prepared = prepareStore(options, stack, () => acknowledgements?.haveEnoughReplicas ?? true);
  try {
    const store = await connectStore(prepared, options, stack);
    acknowledgements = store.acknowledgements;
    return await startOver(store, options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw prepared.watch.explain(error);
  }
}

/** Starts a gateway over a connected store. */
async function startOver(store: ConnectedStore, given: GatewayOptions, stack: AsyncDisposableStack): Promise<Gateway> {
  const refused = Promise.withResolvers<DataVersionError>();
  const storeCode = await enterStore(store, given, stack, refused.resolve);
  const clock = given.testClock === true ? await openTestClock(store.writer, store.keys, given.now ?? Date.now) : undefined;
  const audience = await findAudience(store, given);
  const options = { ...given, audience, ...(clock && { now: clock.now }) };
  const { logger, metrics, now = Date.now } = options;
  const stopping = new AbortController();
  const tracing = await openTracing(options, stack);
  const records = await openRecords(store, storeCode, options, stack);
  const { archive, keyDirectory } = records;
  const secrets = await openIdentity(store, records, options, stack);
  const feeds = openFeeds(store, records, stack);
  const sweep = startBackgroundTasks(store, records, feeds, options, stack);
  const webhooks = createWebhookSending({
    ...options.webhooks,
    records: archive.records,
    store: createWebhookStore(store.writer, store.keys),
    ...feeds,
    derivationKey: secrets.secrets.derivationKey,
    audience,
    now,
    logger,
    logFailure: store.watch.logFailure,
    metrics,
    tracing,
  });
  const authenticatorBy = (clockNow: () => number) =>
    createAuthenticator({
      keys: keyDirectory,
      audience,
      now: clockNow,
      failuresMax: options.callLimits?.failedAuthenticationsMax ?? defaultCallLimits.failedAuthenticationsMax,
      metrics,
    });
  const clocks = clock === undefined ? [now] : [now, given.now ?? Date.now];
  const authenticator =
    clock === undefined ? authenticatorBy(now) : testNetworkAuthenticator(authenticatorBy(now), authenticatorBy(given.now ?? Date.now));
  const shares = createCallersShares(options.callLimits);
  const parts = {
    ...records,
    ...feeds,
    store,
    secrets: secrets.secrets,
    webhooks,
    authenticator,
    shares,
    testClock: clock && { clock, sweep },
    tracing,
    stopping: stopping.signal,
  };
  const identityStep = createIdentityStep({ authenticator, isOpen: isOpenCall });
  const served = createServices(parts, options);
  const plain = createPlainPages(store, secrets, records, served, options);
  const toServe = {
    accounts: shares.calls,
    routes: served.routes,
    callers: createCallerAccounts(authenticator, identityStep),
    steps: [identityStep, createStoreFailureStep(store.onCallFailed, store.fill.rejected), createGrowthStep(store.fill)],
    checkValidated: createKeyCheck(
      authenticator,
      createProofCheck({ keys: keyDirectory, usedProofs: createUsedProofs(store.writer, store.keys), clocks, metrics }),
    ),
    shutdownSignal: stopping.signal,
    tracing,
  };
  const sharing = shareCallersUse({ redis: store.redis, keys: store.keys, uses: toldUses(shares) });
  stack.defer(() => sharing.stop());
  await untilReady(store, records, options);
  const ports = await openPorts(options, toServe, plain, stack);
  const { address, managementAddress } = ports;
  served.health.setServing(true);
  const dispatcher = webhooks.start();
  stack.defer(() => dispatcher.stop(webhookGraceMs));
  stack.defer(async () => {
    served.health.setServing(false);
    stopping.abort();
    await ports.close(options.shutdownGraceMs);
  });
  logger.info({ host: address.host, port: address.port, management: managementAddress, audience }, "gateway listens");
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stack.disposeAsync();
    return stopped;
  };
  const refusal = refused.promise.then(async (error) => {
    logger.fatal({ err: error }, "the gateway stops, because this release can no longer use the data in Redis");
    await stop().catch((err: Error) => logger.error({ err }, "the gateway did not stop cleanly"));
    return error;
  });
  return {
    ...{ address, managementAddress, managementPages: plain.management, audience, refusal, stop },
    certificate: () => ports.tls?.current().cert,
    reloadTls: async () => ports.tls?.reload(),
  };
}

/** Waits for the directory of occupied cells and for replicas, for a limited time. */
async function untilReady(
  { acknowledgements }: ConnectedStore,
  { search }: Pick<OpenRecords, "search">,
  { logger }: GatewayOptions,
): Promise<void> {
  if (!(await search.ready(directoryTimeoutMs))) {
    logger.warn(
      { timeoutMs: directoryTimeoutMs },
      "the directory of sites has not been read yet; the first searches over long distances take longer",
    );
  }
  if (acknowledgements !== undefined && !(await acknowledgements.ready(replicasTimeoutMs))) {
    logger.warn({ timeoutMs: replicasTimeoutMs }, "too few replicas are connected; changes are refused until more are");
  }
}
