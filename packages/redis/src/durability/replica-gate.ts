import { PetakError } from "@petak/protocol";
import type { Redis } from "ioredis";
import { runIdOf } from "../connection/connect-redis.ts";

/** What a change has to be on before it is acknowledged. */
export interface ReplicationLevel {
  /** How many replicas must have it. From 1. */
  replicas: number;
  /** `memory`: they have it (`WAIT`). `disk`: it is on their disks and on the master's (`WAITAOF`). */
  on: "memory" | "disk";
  /** How long they have for it, in ms. */
  withinMs: number;
}

/** What a gate needs. */
export interface ReplicaGateOptions {
  level: ReplicationLevel;
  /** The connection to the server over which changes are made. */
  writer: Redis;
  /** Makes another to the same server, not connected yet. Waiting takes it up, so that it is for nothing else. */
  connect: () => Redis;
  /** A key that the server has, for marks that nobody waits for. */
  ownMark: () => string;
  onError: (error: Error) => void;
}

/** Where it is waited until the replicas of one server have what was changed there. */
export interface ReplicaGate {
  /**
   * The time in which both connections have led, without a break, to one process: to be kept before a change is sent, and shown when it is to be
   * waited for.
   */
  readonly bond: number;
  /**
   * Lets a change pass.
   *
   * @throws {PetakError} REPLICAS_UNAVAILABLE where the server is there, and too few replicas follow it.
   */
  admit(): void;
  /**
   * Resolves when everything that the server had done, when this was called, is on as many replicas as the level says.
   *
   * @param mark A key in the slot of what was changed: where the server does not have it any more, what was changed is not its own to promise.
   * @throws {PetakError} DURABILITY_UNCONFIRMED.
   */
  settled(noted: number, mark: string): Promise<void>;
  /** Whether enough replicas follow, as far as is known. */
  readonly isFollowed: boolean;
  /** Closes the connection that it made. */
  stop(): void;
}

interface Waiting {
  mark: string;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** How long a mark is kept, in ms: it says nothing by itself. */
const markTtlMs = 1000;

/** How often it is tried whether the replicas are back, in ms. */
const probeIntervalMs = 250;

/** How long after the answer was due a wait is given up, in ms. */
const answerGraceMs = 1000;

/** After how long it is worth asking again, in ms. */
const retryAfterMs = 1000;

/**
 * Makes the gate of a server. `WAIT` counts from the last write of its own connection, and a repetition has written nothing: so each round first writes a
 * mark, which comes after all that the server has done, whoever had it done. A round serves all who wait when it begins.
 *
 * A mark proves nothing about another process at the same address. So both connections are asked for the process that they lead to, and a change is
 * confirmed only where neither was lost from before it was sent until its round has ended.
 */
export function createReplicaGate({ level, writer, connect, ownMark, onError }: ReplicaGateOptions): ReplicaGate {
  const connection = connect();
  /** Goes up whenever what was noted before cannot be confirmed any more. */
  let bond = 0;
  let isBound = false;
  let isFollowed = false;
  let isStopped = false;
  let isUnderWay = false;
  let isBinding = false;
  const waiting: Waiting[] = [];

  function part(): void {
    bond += 1;
    isBound = false;
    isFollowed = false;
  }

  async function bind(): Promise<void> {
    if (isBinding || writer.status !== "ready" || connection.status !== "ready") return;
    isBinding = true;
    const begun = bond;
    try {
      const [there, here] = await Promise.all([runIdOf(writer), runIdOf(connection)]);
      if (begun !== bond || isStopped) return;
      isBound = there === here;
      // Two processes have the address, and one of them is the past. Whoever is led there last is led to the other.
      if (!isBound) connection.disconnect(true);
    } finally {
      isBinding = false;
    }
  }

  /** Looks whether enough replicas follow. */
  async function probe(): Promise<void> {
    if (!isBound) await bind();
    if (!isBound || isUnderWay || isStopped) return;
    await round([{ mark: ownMark(), resolve: () => undefined, reject: () => undefined }]);
  }

  async function round(batch: readonly Waiting[]): Promise<void> {
    isUnderWay = true;
    const begun = bond;
    try {
      const failures = await mark(new Set(batch.map((one) => one.mark)));
      if (begun !== bond) throw unconfirmed(level);
      isFollowed = true;
      for (const one of batch) {
        const failure = failures.get(one.mark);
        if (failure === undefined) one.resolve();
        else one.reject(unconfirmed(level, failure));
      }
    } catch (error) {
      // What was noted before may be on a history that is not continued. And those behind would meet the same.
      if (begun === bond) bond += 1;
      isFollowed = false;
      const reason = error instanceof PetakError ? error : unconfirmed(level, error);
      for (const one of [...batch, ...waiting.splice(0)]) one.reject(reason);
    } finally {
      isUnderWay = false;
      if (waiting.length > 0) void round(waiting.splice(0));
    }
  }

  /** Writes marks and waits for the replicas. Gives the marks that the server would not write; throws where too few replicas have the others. */
  async function mark(marks: ReadonlySet<string>): Promise<Map<string, Error>> {
    const { replicas, on, withinMs } = level;
    const commands = connection.pipeline();
    for (const key of marks) commands.set(key, "1", "PX", markTtlMs);
    if (on === "memory") commands.call("WAIT", replicas, withinMs);
    else commands.call("WAITAOF", 1, replicas, withinMs);
    const results = (await commands.exec()) ?? [];
    const [waitError, waited] = results.pop() ?? [new Error("no answer")];
    if (waitError) throw waitError;
    const [local, remote] = on === "memory" ? [1, Number(waited)] : (waited as [number, number]);
    if (local < 1 || remote < replicas) throw unconfirmed(level);
    const failures = new Map<string, Error>();
    [...marks].forEach((key, index) => {
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
    one.on("close", part);
  }
  connection.connect().catch(report);
  const timer = setInterval(() => {
    if (!isFollowed) probe().catch(report);
  }, probeIntervalMs);
  timer.unref();

  return {
    get isFollowed() {
      return isFollowed;
    },
    get bond() {
      return bond;
    },
    admit() {
      // Where the server is away, its own commands say so.
      if (!isFollowed && writer.status === "ready") throw unavailable(level);
    },
    settled(noted, key) {
      if (noted !== bond || !isFollowed) return Promise.reject(unconfirmed(level));
      return new Promise<void>((resolve, reject) => {
        waiting.push({
          mark: key,
          resolve: () => (noted === bond ? resolve() : reject(unconfirmed(level))),
          reject,
        });
        if (!isUnderWay) void round(waiting.splice(0));
      });
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      part();
      writer.off("ready", onReady);
      writer.off("close", part);
      connection.disconnect();
    },
  };
}

/** How long the connection of a gate may wait for one answer, in ms. */
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
