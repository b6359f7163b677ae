import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { duplicateConnection, isCluster, type RedisConnection, serverOf } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";
import { createReplicaGate, gateTimeoutMs, type ReplicaGate, type ReplicationLevel } from "./replica-gate.ts";
import { replicationMarkerOn } from "./replication-marker.ts";
import { currentScope, noteKey, onKeyNoted, WriteScope } from "./write-scope.ts";

/** Options of {@link createAcknowledgements}. */
export interface AcknowledgementsOptions {
  connection: RedisConnection;
  keys: Keys;
  level: ReplicationLevel;
  onError: (error: Error) => void;
}

/** Runs work whose writes must reach replicas before it succeeds. */
export interface Acknowledgements {
  /** The given connection, wrapped: commands sent over it are recorded for the work that sends them. */
  readonly connection: RedisConnection;
  /**
   * Runs work and resolves with its result once every server that the work used has replicated everything it had executed by then, at the
   * given level. This includes writes that the work found already done by somebody else.
   *
   * @throws {PetakError} REPLICAS_UNAVAILABLE before a write is sent to a server with too few replicas; DURABILITY_UNCONFIRMED.
   */
  acknowledge<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** Time that replicas have to acknowledge, in ms. */
  readonly withinMs: number;
  /** Whether every known server has enough connected replicas, as last observed. */
  readonly haveEnoughReplicas: boolean;
  /** Resolves with true when every known server has enough replicas, or with false after `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Closes the connections that this object opened. */
  stop(): void;
}

/** What one piece of work used of one server. */
interface RecordedWrites {
  generation: number;
  /** One replication marker for each slot used. */
  markers: Set<string>;
}

/** Creates acknowledgements for the server of a connection, or for the masters of a cluster. */
export function createAcknowledgements({ connection, keys, level, onError }: AcknowledgementsOptions): Acknowledgements {
  const gates = new Map<Redis, ReplicaGate>();

  function gateOf(server: Redis): ReplicaGate {
    let gate = gates.get(server);
    if (gate === undefined) {
      const connect = () => duplicateConnection(server, { onError, commandTimeoutMs: gateTimeoutMs(level) });
      gate = createReplicaGate({ level, writer: server, connect, markerKey: () => replicationMarkerOn(connection, keys, server), onError });
      gates.set(server, gate);
    }
    return gate;
  }

  /** The replication marker for a key: on a cluster in the key's slot, else the same for all keys. */
  function markerFor(key: string): string {
    return keys.replicationMarker(isCluster(connection) ? hashTagOf(key) : "");
  }

  function note(key: string): void {
    const scope = currentScope();
    const server = serverOf(connection, key);
    // Without a known server the command itself fails.
    if (scope === undefined || server === undefined) return;
    const gate = gateOf(server);
    const noted = scope.noted.get(gate) as RecordedWrites | undefined;
    if (noted === undefined)
      scope.noted.set(gate, { generation: gate.generation, markers: new Set([markerFor(key)]) } satisfies RecordedWrites);
    else noted.markers.add(markerFor(key));
    gate.admit();
  }

  const recordingConnection = createRecordingConnection(connection, keys);
  onKeyNoted(recordingConnection, note);
  const forget = (server: Redis) => {
    gates.get(server)?.stop();
    gates.delete(server);
  };
  if (isCluster(connection)) {
    connection.on("-node", forget);
    for (const server of connection.nodes("master")) gateOf(server);
  } else {
    gateOf(connection);
  }

  const haveEnoughReplicas = () => [...gates.values()].every(({ hasEnoughReplicas }) => hasEnoughReplicas);

  return {
    connection: recordingConnection,
    withinMs: level.withinMs,
    get haveEnoughReplicas() {
      return haveEnoughReplicas();
    },
    async acknowledge(work) {
      const scope = new WriteScope();
      try {
        const answer = await scope.run(work);
        await Promise.all(
          [...(scope.noted as Map<ReplicaGate, RecordedWrites>)].flatMap(([gate, { generation, markers }]) =>
            [...markers].map((marker) => gate.confirm(generation, marker)),
          ),
        );
        return answer;
      } finally {
        scope.isOpen = false;
      }
    },
    async ready(timeoutMs) {
      const untilMs = performance.now() + timeoutMs;
      while (!haveEnoughReplicas() && performance.now() < untilMs) await pause(readyPollMs);
      return haveEnoughReplicas();
    },
    stop() {
      connection.off("-node", forget);
      for (const gate of gates.values()) gate.stop();
      gates.clear();
    },
  };
}

/** Interval at which {@link Acknowledgements.ready} checks for replicas, in ms. */
const readyPollMs = 10;

/** The part of a key that determines its slot. */
function hashTagOf(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}

/**
 * Commands that change nothing. They are recorded, because a result may rely on an unreplicated write, but never rejected: several callers
 * may share one read.
 */
const reads =
  /^(get|mget|getrange|getbit|strlen|exists|hget|hmget|hgetall|hkeys|hlen|hexists|smembers|sismember|scard|lrange|llen|z.*(range|card|score|count|rank)|x(range|revrange|len))/;

/** Wraps a connection so that each command on one of our keys is recorded just before it is sent. */
function createRecordingConnection(connection: RedisConnection, keys: Keys): RedisConnection {
  const commands = new Set(connection.getBuiltinCommands().flatMap((name) => [name, `${name}Buffer`]));
  const isOurs = (value: unknown): value is string => typeof value === "string" && value.startsWith(`${keys.prefix}:`);
  const recordingConnection: RedisConnection = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || currentScope() === undefined || !commands.has(String(name))) {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: unknown[]): unknown => {
        // The key is the first argument, or follows a script and its number of keys; it may be the first of a list.
        const key = [args[0], args[2]].map((arg) => (Array.isArray(arg) ? arg[0] : arg)).find(isOurs);
        try {
          if (key !== undefined) noteKey(recordingConnection, key);
        } catch (error) {
          if (!reads.test(String(name))) return Promise.reject(error);
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  return recordingConnection;
}
