import { PetakError } from "@petak/protocol";
import type { Redis } from "ioredis";
import { runIdOf } from "../connection/connect-redis.ts";

/** How far a write must be replicated before it is acknowledged. */
export interface ReplicationLevel {
  /** Number of replicas that must have the write. At least 1. */
  replicas: number;
  /** `memory`: the replicas have received it (`WAIT`). `disk`: it is on their disks and on the master's (`WAITAOF`). */
  on: "memory" | "disk";
  /** Time that replicas have to acknowledge, in ms. */
  withinMs: number;
}

/** Options of {@link createReplicaGate}. */
export interface ReplicaGateOptions {
  level: ReplicationLevel;
  /** The connection over which changes are written. */
  writer: Redis;
  /**
   * Creates another connection to the same server, not connected yet. `WAIT` blocks its connection, so this one is used for nothing else.
   */
  connect: () => Redis;
  /** A key that this server owns, for markers written only to probe for replicas. */
  markerKey: () => string;
  onError: (error: Error) => void;
}

/** Waits until the replicas of one server have the writes executed there. */
export interface ReplicaGate {
  /**
   * Number of the current period in which both connections lead, uninterrupted, to the same server process. The caller reads it before it
   * sends a write and passes it to {@link confirm}.
   */
  readonly generation: number;
  /**
   * Admits a write.
   *
   * @throws {PetakError} REPLICAS_UNAVAILABLE if the server is reachable but has too few replicas.
   */
  admit(): void;
  /**
   * Resolves when everything that the server had executed at the time of the call is replicated at the given level.
   *
   * @param recorded The {@link generation} read before the write was sent. @param markerKey A key in the slot of the write. If the server
   * no longer owns the slot, the write cannot be confirmed. @throws {PetakError} DURABILITY_UNCONFIRMED.
   */
  confirm(recorded: number, markerKey: string): Promise<void>;
  /** Whether enough replicas are connected, as last observed. */
  readonly hasEnoughReplicas: boolean;
  /** Closes the connection that the gate opened. */
  stop(): void;
}

interface Waiting {
  mark: string;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Expiry of a marker, in ms. Its value has no meaning. */
const markerTtlMs = 1000;

/** Interval at which the gate probes for replicas while there are too few, in ms. */
const probeIntervalMs = 250;

/** Time after the server's own timeout at which a wait is abandoned, in ms. */
const answerGraceMs = 1000;

/** Delay that callers are told to wait before they retry, in ms. */
const retryAfterMs = 1000;

/**
 * Creates the gate of a server. `WAIT` covers the writes of its own connection only, and a repeated request writes nothing. So each round
 * first writes a marker, which is ordered after everything that the server has executed, for whichever connection. One round serves all
 * callers waiting when it begins.
 *
 * A marker says nothing about another process at the same address. So the gate compares the run ids behind both connections, and confirms a
 * write only if neither connection was lost from before the write was sent until the round has ended.
 */
export function createReplicaGate({ level, writer, connect, markerKey, onError }: ReplicaGateOptions): ReplicaGate {
  const connection = connect();
  /** Increases whenever writes recorded earlier can no longer be confirmed. */
  let generation = 0;
  let isVerified = false;
  let hasEnoughReplicas = false;
  let isStopped = false;
  let isRoundRunning = false;
  let isVerifying = false;
  const waiting: Waiting[] = [];

  function invalidate(): void {
    generation += 1;
    isVerified = false;
    hasEnoughReplicas = false;
  }

  async function verify(): Promise<void> {
    if (isVerifying || writer.status !== "ready" || connection.status !== "ready") return;
    isVerifying = true;
    const startedIn = generation;
    try {
      const [writerRunId, ownRunId] = await Promise.all([runIdOf(writer), runIdOf(connection)]);
      if (startedIn !== generation || isStopped) return;
      isVerified = writerRunId === ownRunId;
      // Two processes share the address, one of them outdated. A new connection leads to the current one.
      if (!isVerified) connection.disconnect(true);
    } finally {
      isVerifying = false;
    }
  }

  /** Checks whether enough replicas are connected. */
  async function probe(): Promise<void> {
    if (!isVerified) await verify();
    if (!isVerified || isRoundRunning || isStopped) return;
    await round([{ mark: markerKey(), resolve: () => undefined, reject: () => undefined }]);
  }

  async function round(batch: readonly Waiting[]): Promise<void> {
    isRoundRunning = true;
    const startedIn = generation;
    try {
      const failures = await writeMarkers(new Set(batch.map((one) => one.mark)));
      if (startedIn !== generation) throw unconfirmed(level);
      hasEnoughReplicas = true;
      for (const one of batch) {
        const failure = failures.get(one.mark);
        if (failure === undefined) one.resolve();
        else one.reject(unconfirmed(level, failure));
      }
    } catch (error) {
      // The writes may be on a history that was discarded, and callers waiting for the next round would fail for the same reason.
      if (startedIn === generation) generation += 1;
      hasEnoughReplicas = false;
      const reason = error instanceof PetakError ? error : unconfirmed(level, error);
      for (const one of [...batch, ...waiting.splice(0)]) one.reject(reason);
    } finally {
      isRoundRunning = false;
      if (waiting.length > 0) void round(waiting.splice(0));
    }
  }

  /**
   * Writes markers and waits for the replicas. Returns the markers that the server rejected, with their errors; throws if too few replicas
   * have the rest.
   */
  async function writeMarkers(markers: ReadonlySet<string>): Promise<Map<string, Error>> {
    const { replicas, on, withinMs } = level;
    const commands = connection.pipeline();
    for (const key of markers) commands.set(key, "1", "PX", markerTtlMs);
    if (on === "memory") commands.call("WAIT", replicas, withinMs);
    else commands.call("WAITAOF", 1, replicas, withinMs);
    const results = (await commands.exec()) ?? [];
    const [waitError, waited] = results.pop() ?? [new Error("no answer")];
    if (waitError) throw waitError;
    const [local, remote] = on === "memory" ? [1, Number(waited)] : (waited as [number, number]);
    if (local < 1 || remote < replicas) throw unconfirmed(level);
    const failures = new Map<string, Error>();
    [...markers].forEach((key, index) => {
      const error = results[index]?.[0];
      if (error) failures.set(key, error);
    });
    return failures;
  }

  const report = (error: unknown) => {
    if (!isStopped) onError(error instanceof Error ? error : new Error(String(error)));
  };
  const onReady = () => void probe().catch(report);

  for (const one of [writer, connection]) {
    one.on("ready", onReady);
    one.on("close", invalidate);
  }
  connection.connect().catch(report);
  const timer = setInterval(() => {
    if (!hasEnoughReplicas) probe().catch(report);
  }, probeIntervalMs);
  timer.unref();

  return {
    get hasEnoughReplicas() {
      return hasEnoughReplicas;
    },
    get generation() {
      return generation;
    },
    admit() {
      // If the server is unreachable, the write itself fails with that error.
      if (!hasEnoughReplicas && writer.status === "ready") throw unavailable(level);
    },
    confirm(recorded, key) {
      if (recorded !== generation || !hasEnoughReplicas) return Promise.reject(unconfirmed(level));
      return new Promise<void>((resolve, reject) => {
        waiting.push({
          mark: key,
          resolve: () => (recorded === generation ? resolve() : reject(unconfirmed(level))),
          reject,
        });
        if (!isRoundRunning) void round(waiting.splice(0));
      });
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      invalidate();
      writer.off("ready", onReady);
      writer.off("close", invalidate);
      connection.disconnect();
    },
  };
}

/** Command timeout of a gate's own connection, in ms. */
export function gateTimeoutMs({ withinMs }: ReplicationLevel): number {
  return withinMs + answerGraceMs;
}

function unconfirmed({ replicas, withinMs }: ReplicationLevel, cause?: unknown): PetakError {
  return new PetakError(
    "DURABILITY_UNCONFIRMED",
    `the change may have been made, but ${replicas} replicas have not acknowledged it within ${withinMs} ms; send the same request again with the same request_id`,
    { metadata: { replicas: String(replicas) }, retryAfterMs, cause },
  );
}

function unavailable({ replicas }: ReplicationLevel): PetakError {
  return new PetakError(
    "REPLICAS_UNAVAILABLE",
    `fewer than ${replicas} replicas are connected to the store, so the gateway accepts no changes; this call changed nothing`,
    { metadata: { replicas: String(replicas) }, retryAfterMs },
  );
}
