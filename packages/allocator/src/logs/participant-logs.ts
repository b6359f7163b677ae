import type { Event, Region } from "@petak/protocol";
import { isCluster, type RedisConnection } from "../connection/connect-redis.ts";
import { isStoreFailure } from "../connection/store-failure.ts";
import { createEventLog, type EventLog, isAfter } from "../events/event-log.ts";
import { createEventTail, type EventTailOptions } from "../events/event-tail.ts";
import type { LogSubscription } from "../events/log-subscribers.ts";
import { onKeysTouched } from "../scripts/touched-keys.ts";
import { createLogBuilder } from "./log-builder.ts";
import type { LogArchive } from "./log-chunks.ts";
import type { LogName, LogReference } from "./log-reference.ts";
import { type ChunkTimes, chunkOf, chunkSize, createLogStore } from "./log-store.ts";
import { createRegionProgress, type RegionProgress } from "./region-progress.ts";
import { createUnloggedRegions } from "./unlogged-regions.ts";

/** An event and its number in a participant's log. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: Event;
}

/** Some of a log. */
export interface LogPage {
  /** In the order of their numbers. An event that is kept nowhere any more is missing, with its number. */
  events: NumberedEvent[];
  /** The number up to which the log was read. */
  upTo: number;
  /** The log's last number. */
  last: number;
}

/** The participants' logs: every event that concerns a participant, from all regions, numbered from 1 without a gap. */
export interface ParticipantLogs {
  /**
   * Resolves when every event that was acknowledged before the call, by whichever gateway, is in the participant's logs.
   *
   * @throws Error where a server cannot be reached.
   */
  bringUpToDate(participantId: string): Promise<void>;
  /** Resolves when all that was recorded in a region before the call is in the logs. */
  build(region: Region): Promise<void>;
  /** The last number of a log as it is; 0: it is empty. */
  last(log: LogName): Promise<number>;
  /** The events after a number, at most `count`; where a region is given, those of that region among the next {@link lookedThroughMax}. */
  readAfter(log: LogName, number: number, count: number, region?: Region): Promise<LogPage>;
  /** When the events of each chunk of a log were recorded: of {@link chunkOf} numbers. */
  times(log: LogName): Promise<ChunkTimes[]>;
  /** Begins to follow a log. */
  subscribe(log: LogName): LogSubscription;
  /** Resolves when nothing is built or heard any more. */
  stop(): Promise<void>;
}

/** What the logs need. */
export interface ParticipantLogsOptions extends Pick<EventTailOptions, "connect" | "keys" | "onError" | "lookAtAllMs"> {
  redis: RedisConnection;
  /** The connection over which events are recorded here: what it records is logged at once. Default: `redis`. */
  recordedOver?: RedisConnection;
  /**
   * Gives what was read over `recordedOver` once it is as durable as an acknowledgement: what a failover can lose must not have a number. Default: at once.
   */
  acknowledge?: <Answer>(work: () => Promise<Answer>) => Promise<Answer>;
  /** Reads events by their entries. Default: those in Redis. Whoever archives gives one that has the archive behind it. */
  events?: Pick<EventLog, "readAt">;
  /** Where chunks of logs are that have left Redis. Default: none have. */
  archive?: LogArchive;
}

/**
 * How long what was recorded elsewhere may be in no log before it is logged here, in ms: the gateway that recorded it does so at once, unless it
 * died.
 */
const overdueMs = 100;

/** How long after it failed a region is built again for nobody in particular, in ms. */
const retryMs = 1000;

/** References of a log that are looked through at most for those of one region. */
const lookedThroughMax = 2000;

interface NumberedReference extends LogReference {
  number: number;
}

/** Starts to build and read logs. */
export function createParticipantLogs(options: ParticipantLogsOptions): ParticipantLogs {
  const { redis, recordedOver = redis, acknowledge = (work) => work(), keys, onError } = options;
  const recordedEvents = createEventLog(redis, keys);
  const { events = recordedEvents } = options;
  const logs = createLogStore(redis, keys, options.archive);
  const recorded = createRegionProgress(recordedOver, keys);
  const progress: RegionProgress = {
    ...createRegionProgress(redis, keys),
    unlogged: (region, count, after) => acknowledge(() => recorded.unlogged(region, count, after)),
  };
  const builder = createLogBuilder({ events: recordedEvents, logs, progress, onError });
  const unlogged = createUnloggedRegions();
  let isStopping = false;
  const underWay = new Set<Promise<void>>();

  async function build(region: Region): Promise<void> {
    try {
      await builder.build(region);
    } catch (error) {
      unlogged.postpone(region, performance.now() + retryMs);
      throw error;
    }
    const upTo = builder.builtUpTo(region);
    if (upTo !== undefined) unlogged.remove(region, upTo);
  }

  /** Work that nobody waits for. What fails is tried again when it is overdue. */
  function inBackground(work: Promise<void>): void {
    const done = work.catch((error: unknown) => {
      // That a server is away is told by the tail, once and not for each region.
      if (!isStopping && !isStoreFailure(error)) onError(error);
    });
    underWay.add(done);
    void done.then(() => underWay.delete(done));
  }

  const tail = createEventTail({
    ...options,
    onGrown(region, entry, concerned) {
      const upTo = builder.builtUpTo(region);
      if (upTo === undefined || isAfter(entry, upTo)) unlogged.add(region, entry, concerned, performance.now());
    },
  });
  const endListening = onKeysTouched(recordedOver, (touched) => {
    for (const key of touched) {
      const region = keys.regionOfEvents(key);
      if (region !== undefined && !isStopping) inBackground(build(region));
    }
  });
  const timer = setInterval(() => {
    for (const region of unlogged.before(performance.now() - overdueMs)) inBackground(build(region));
  }, overdueMs);

  async function verifyAll(): Promise<void> {
    for (const region of await recordedEvents.regions()) await builder.verify(region);
  }
  // Slots of a cluster may lose what others keep.
  const onReady = () => inBackground(verifyAll());
  if (isCluster(redis)) {
    redis.on("ready", onReady);
    onReady();
  }

  /** References after a number, as {@link ParticipantLogs.readAfter} wants them, and how far that is. */
  async function referencesAfter(
    log: LogName,
    number: number,
    last: number,
    count: number,
    region: Region | undefined,
  ): Promise<{ references: NumberedReference[]; upTo: number }> {
    const end = Math.min(last, number + (region === undefined ? count : lookedThroughMax));
    const references: NumberedReference[] = [];
    let upTo = number;
    while (upTo < end && references.length < count) {
      const some = await logs.references(log, upTo + 1, end - upTo);
      // They are kept nowhere any more.
      if (some.length === 0) return { references, upTo: end };
      for (const reference of some) {
        if (references.length === count) break;
        upTo++;
        if (region === undefined || reference.region === region) references.push({ ...reference, number: upTo });
      }
    }
    return { references, upTo };
  }

  return {
    build,
    async bringUpToDate(participantId) {
      await tail.catchUp();
      const building = unlogged.of(participantId).map(async (region) => {
        try {
          await build(region);
        } catch (error) {
          if (builder.lacks(region, participantId)) throw error;
        }
      });
      await Promise.all(building);
    },
    last: (log) => logs.last(log),
    async readAfter(log, number, count, region) {
      const last = await logs.last(log);
      const { references, upTo } = await referencesAfter(log, number, last, count, region);
      const byRegion = Map.groupBy(references, (reference) => reference.region);
      const numbered: NumberedEvent[] = [];
      await Promise.all(
        [...byRegion].map(async ([of, own]) => {
          const numberOf = new Map(own.map((reference) => [reference.entry, reference.number]));
          const found = await events.readAt(of, [...numberOf.keys()]);
          for (const { entry, event } of found) numbered.push({ number: numberOf.get(entry) ?? 0, event });
        }),
      );
      return { events: numbered.sort((a, b) => a.number - b.number), upTo, last };
    },
    times: (log) => logs.times(log),
    subscribe: (log) => tail.subscribe(log),
    async stop() {
      isStopping = true;
      endListening();
      clearInterval(timer);
      if (isCluster(redis)) redis.off("ready", onReady);
      await tail.stop();
      await Promise.all(underWay);
    },
  };
}

export { chunkOf, chunkSize };
