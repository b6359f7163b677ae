import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { connectLike, isCluster, type RedisConnection, serverOf } from "../connection/connect-redis.ts";
import { ownMark } from "../health/own-mark.ts";
import type { Keys } from "../keys.ts";
import { createReplicaGate, gateTimeoutMs, type ReplicaGate, type ReplicationLevel } from "./replica-gate.ts";
import { currentScope, noteKey, onKeyNoted, WriteScope } from "./write-scope.ts";

/** What acknowledgements need. */
export interface AcknowledgementsOptions {
  connection: RedisConnection;
  keys: Keys;
  level: ReplicationLevel;
  onError: (error: Error) => void;
}

/** Work that counts as done only when replicas have it. */
export interface Acknowledgements {
  /** The same connection. What is asked for over it is noted for the work on whose behalf it is. */
  readonly connection: RedisConnection;
  /**
   * Runs work, and gives its answer when every server that it has asked for something has what it had done then on as many replicas as the level
   * says. That is also so where the work has found that it was done before, by whomever.
   *
   * @throws {PetakError} REPLICAS_UNAVAILABLE before anything is asked of a server that too few replicas follow; DURABILITY_UNCONFIRMED.
   */
  acknowledge<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** How long replicas have for it, in ms. */
  readonly withinMs: number;
  /** Whether enough replicas follow every server that is known, as far as is known. */
  readonly areFollowed: boolean;
  /** Resolves when enough replicas follow every server that is known, with true; with false where they do not after `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Closes the connections that it made. */
  stop(): void;
}

/** What is kept of a server for one piece of work. */
interface Noted {
  bond: number;
  /** One mark for each slot that was asked for. */
  marks: Set<string>;
}

/** Makes acknowledgements over the server of a connection, or over the masters of a cluster. */
export function createAcknowledgements({ connection, keys, level, onError }: AcknowledgementsOptions): Acknowledgements {
  const gates = new Map<Redis, ReplicaGate>();

  function gateOf(server: Redis): ReplicaGate {
    let gate = gates.get(server);
    if (gate === undefined) {
      const connect = () => connectLike(server, { onError, commandTimeoutMs: gateTimeoutMs(level) });
      gate = createReplicaGate({ level, writer: server, connect, ownMark: () => ownMark(connection, keys, server), onError });
      gates.set(server, gate);
    }
    return gate;
  }

  /** On a cluster a mark lies in the slot of the key, and else anywhere. */
  function markOf(key: string): string {
    return keys.durabilityMark(isCluster(connection) ? hashTagOf(key) : "");
  }

  function note(key: string): void {
    const scope = currentScope();
    const server = serverOf(connection, key);
    // Where no server is known for it, the command itself fails.
    if (scope === undefined || server === undefined) return;
    const gate = gateOf(server);
    const noted = scope.noted.get(gate) as Noted | undefined;
    if (noted === undefined) scope.noted.set(gate, { bond: gate.bond, marks: new Set([markOf(key)]) } satisfies Noted);
    else noted.marks.add(markOf(key));
    gate.admit();
  }

  const noting = notingConnection(connection, keys);
  onKeyNoted(noting, note);
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

  const areFollowed = () => [...gates.values()].every(({ isFollowed }) => isFollowed);

  return {
    connection: noting,
    withinMs: level.withinMs,
    get areFollowed() {
      return areFollowed();
    },
    async acknowledge(work) {
      const scope = new WriteScope();
      try {
        const answer = await scope.run(work);
        await Promise.all(
          [...(scope.noted as Map<ReplicaGate, Noted>)].flatMap(([gate, { bond, marks }]) =>
            [...marks].map((mark) => gate.settled(bond, mark)),
          ),
        );
        return answer;
      } finally {
        scope.isOpen = false;
      }
    },
    async ready(timeoutMs) {
      const untilMs = performance.now() + timeoutMs;
      while (!areFollowed() && performance.now() < untilMs) await pause(readyPollMs);
      return areFollowed();
    },
    stop() {
      connection.off("-node", forget);
      for (const gate of gates.values()) gate.stop();
      gates.clear();
    },
  };
}

/** How often it is looked whether replicas follow, in ms. */
const readyPollMs = 10;

/** What of a key decides on its slot. */
function hashTagOf(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}

/** Commands that change nothing. What they ask for is noted as well, and they are never refused: others may share what they read. */
const reads =
  /^(get|mget|getrange|getbit|strlen|exists|hget|hmget|hgetall|hkeys|hlen|hexists|smembers|sismember|scard|lrange|llen|z.*(range|card|score|count|rank)|x(range|revrange|len))/;

/** The same connection, which says of each command about one of our keys that it is about to be sent. */
function notingConnection(connection: RedisConnection, keys: Keys): RedisConnection {
  const commands = new Set(connection.getBuiltinCommands().flatMap((name) => [name, `${name}Buffer`]));
  const isOurs = (value: unknown): value is string => typeof value === "string" && value.startsWith(`${keys.prefix}:`);
  const noting: RedisConnection = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || currentScope() === undefined || !commands.has(String(name))) {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: unknown[]): unknown => {
        // A key comes first, or behind a script and the number of its keys; many may come as a list.
        const key = [args[0], args[2]].map((arg) => (Array.isArray(arg) ? arg[0] : arg)).find(isOurs);
        try {
          if (key !== undefined) noteKey(noting, key);
        } catch (error) {
          if (!reads.test(String(name))) return Promise.reject(error);
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  return noting;
}
