import { coalescedRuns, type Keys, type RedisConnection, serversRejectingWrites, unresponsiveServers } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { TellFailure } from "../observability/tell-failure.ts";
import { createAway } from "./away.ts";
import { createRefusing } from "./refusing.ts";
import { remindMs } from "./spell.ts";
import { StoreStartError } from "./store-start-error.ts";
import { awayCause, isForWantOfReplicas, refusalAdvice, refusalIn, refusals, saidIn, storeFailureIn } from "./store-trouble.ts";

/** What the watch needs. */
export interface StoreWatchOptions {
  /** The connection over which calls are answered: by it Redis is there or away. */
  redis: RedisConnection;
  keys: Keys;
  /** What the log calls the server. */
  address: string;
  logger: Logger;
  metrics: Metrics;
  /** Whether as many replicas follow as changes wait for. Default: they do. */
  areFollowed?: () => boolean;
  /** The clock, in ms. Default: the system's. */
  now?: () => number;
}

/**
 * Tells the operator what is wrong with Redis: one line when it begins, one a minute while it goes on, and one when it is over, whatever part of the
 * gateway meets it and however often.
 */
export interface StoreWatch {
  /**
   * Takes what went wrong in a part of the gateway. What is wrong with Redis is told once for all parts; what is not goes to the log as it is. A part that
   * fails while Redis answers others is told of once a minute.
   */
  readonly tell: TellFailure;
  /** Takes an error of a connection to Redis. */
  connectionFailed(error: Error): void;
  /** @throws Error where a server does not answer, with its name. */
  requireAnswers(): Promise<void>;
  /** Whether the server is a replica, or was a moment ago. */
  readonly isReplica: boolean;
  /** Whether Redis takes changes, as far as is known. */
  readonly takesChanges: boolean;
  /** What to say to whoever starts a gateway that could not because of this error: a {@link StoreStartError}, or the same where it is not about Redis. */
  explain(error: unknown): unknown;
  /** Tells nothing more. */
  stop(): void;
}

/** How often it is looked whether what is wrong still is, in ms. */
const lookIntervalMs = 250;

/** How long after Redis was away a part of the gateway may still be connecting again, in ms. */
const settleMs = 15_000;

/** Starts to watch. */
export function watchStore(options: StoreWatchOptions): StoreWatch {
  const { redis, keys, address, logger, metrics, areFollowed = () => true, now = Date.now } = options;
  const refusing = createRefusing({ redis, address, logger, now });
  // A replica is left again and again, until the address leads to the master.
  const away = createAway({ redis, address, logger, now, isExpected: () => refusing.isOpenFor("read_only") });
  /** When a part was last told of that failed while Redis answered. */
  const toldApart = new Map<string, number>();
  let isStopped = false;

  function show(): void {
    metrics.redisUp.set(away.isFailing ? 0 : 1);
    const { reasons } = refusing;
    for (const reason of refusals) metrics.redisRefusesChanges.set({ reason }, reasons.has(reason) ? 1 : 0);
  }

  const look = coalescedRuns(async () => {
    const silent = await unresponsiveServers(redis);
    if (isStopped) return;
    away.take(silent);
    // One that is away says nothing about what it would refuse.
    if (silent.length === 0 && refusing.isOpen) {
      const servers = await serversRejectingWrites(redis, keys);
      if (isStopped) return;
      refusing.take(servers);
    }
    if (!away.isOpen) refusing.takeFollowed(areFollowed());
    show();
  });

  /** Either Redis is away, or something is wrong with one part's way to it. */
  function suspect(part: string, error: Error, facts: Record<string, unknown>): void {
    away.suspect(error);
    // It was told when it began.
    if (away.isOpen) return;
    void look().then(() => {
      if (isStopped || away.isOpen) return;
      away.clear();
      if (now() - away.backMs < settleMs || now() - (toldApart.get(part) ?? Number.NEGATIVE_INFINITY) < remindMs) return;
      toldApart.set(part, now());
      logger.warn({ redis: address, reason: saidIn(error), ...facts }, `${part} failed, while Redis answers others; it is tried again`);
    });
  }

  function take(part: string, error: Error, facts: Record<string, unknown> = {}): void {
    if (isStopped) return;
    const refusal = refusalIn(error);
    if (refusal === undefined) {
      suspect(part, error, facts);
      return;
    }
    refusing.heard(refusal, error);
    show();
  }

  const connectionFailed = (error: Error) => take("a connection to Redis", error);
  const onClose = () => connectionFailed(new Error("Connection is closed."));
  redis.on("close", onClose);
  const timer = setInterval(() => {
    if (away.isOpen || refusing.isOpen || !areFollowed()) void look();
  }, lookIntervalMs);
  timer.unref();
  show();

  return {
    tell(part, error, facts) {
      // That too few replicas follow is told of by itself, and what they did not confirm in time is asked again.
      if (isStopped || isForWantOfReplicas(error)) return;
      const failure = storeFailureIn(error);
      if (failure === undefined) logger.error({ err: error, ...facts }, part);
      else take(part, failure, facts);
    },
    connectionFailed,
    async requireAnswers() {
      const [first] = await unresponsiveServers(redis);
      if (first !== undefined) throw new Error(`${first.server || address} does not answer`, { cause: first.error });
    },
    explain(error) {
      const failure = storeFailureIn(error) ?? (error instanceof Error && awayCause(error) !== undefined ? error : undefined);
      if (failure === undefined) return error;
      const refusal = refusalIn(failure);
      if (refusal === undefined) away.suspect(failure);
      const why =
        refusal === undefined ? `cannot be reached: ${away.why()}` : `takes no changes: ${refusalAdvice[refusal]} (${saidIn(failure)})`;
      return new StoreStartError(`Redis, ${address}, ${why}.`, { cause: error });
    },
    get isReplica() {
      return refusing.isOpenFor("read_only");
    },
    get takesChanges() {
      return refusing.reasons.size === 0;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      redis.off("close", onClose);
    },
  };
}
