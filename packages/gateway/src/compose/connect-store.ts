import {
  type Acknowledgements,
  connectRedis,
  createKeys,
  dropUnresponsive,
  isCommandTimeout,
  type Keys,
  type RedisConnection,
  recordCommands,
  redisAddressText,
} from "@petak/redis";
import { createStoreFill, type StoreFill } from "../store-watch/store-fill.ts";
import { type StoreWatch, watchStore } from "../store-watch/store-watch.ts";
import { replicatedAcknowledgements, requireDurability } from "./durability.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { isTracing } from "./open-tracing.ts";

/** A store that is not connected yet. */
export interface Store {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly watch: StoreWatch;
  /** How full the store is. */
  readonly fill: StoreFill;
  /** Creates another connection to the same store, not connected yet. */
  connectAnother(): RedisConnection;
  /** Handles an error of any connection to the store. */
  onConnectionError(error: Error): void;
  /** Handles an error of a call. After a time-out the connection is dropped, so that the next calls fail at once. */
  onCallFailed(error: Error): void;
}

/** A connected store. */
export interface ConnectedStore extends Store {
  /** The connection for writes. It counts them if replicas must acknowledge them. */
  readonly writer: RedisConnection;
  /** Present if replicas must acknowledge changes. */
  readonly acknowledgements: Acknowledgements | undefined;
}

/** Creates the connection to the store and its watch, which the stack releases. */
export function prepareStore(options: GatewayOptions, stack: AsyncDisposableStack, hasEnoughReplicas: () => boolean): Store {
  const { redis: address, keyPrefix = "petak", logger, metrics } = options;
  const onConnectionError = (error: Error) => {
    metrics.redisConnectionErrors.inc();
    watch.connectionFailed(error);
  };
  const redis = connectRedis(address, { onError: onConnectionError });
  if (isTracing(options)) recordCommands(redis);
  stack.defer(() => redis.disconnect());
  const keys = createKeys(keyPrefix);
  const watched = { redis, address: redisAddressText(address), logger, metrics };
  const watch = watchStore({ ...watched, keys, hasEnoughReplicas });
  stack.defer(() => watch.stop());
  const fill = createStoreFill({ ...watched, limits: options.storeFill ?? {}, logFailure: watch.logFailure });
  stack.defer(() => fill.stop());
  return {
    redis,
    keys,
    watch,
    fill,
    connectAnother: () => connectRedis(address, { onError: onConnectionError }),
    onConnectionError,
    onCallFailed(error) {
      if (isCommandTimeout(error)) dropUnresponsive(redis);
      watch.logFailure("a call", error);
    },
  };
}

/**
 * Connects to the store and checks its durability.
 *
 * @throws {DurabilityError} if the server contradicts the durability level and the check is `refuse`.
 */
export async function connectStore(
  store: Store,
  { durability, logger }: GatewayOptions,
  stack: AsyncDisposableStack,
): Promise<ConnectedStore> {
  await store.redis.connect();
  await store.fill.start();
  if (durability !== undefined) await requireDurability(store.redis, durability, logger);
  const acknowledgements = replicatedAcknowledgements(store.redis, store.keys, durability, store.onConnectionError);
  stack.defer(() => acknowledgements?.stop());
  return { ...store, acknowledgements, writer: acknowledgements?.connection ?? store.redis };
}
