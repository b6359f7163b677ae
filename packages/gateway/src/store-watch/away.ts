import { commandTimeoutMs, dropUnresponsive, type FailingServer, isCommandTimeout, type RedisConnection } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";
import { createSpell, seconds } from "./spell.ts";
import { spellFacts } from "./spell-facts.ts";
import { awayCause, notReadyMessage, saidIn } from "./store-trouble.ts";

/** What is known of Redis being away, and the telling of it. */
export interface Away {
  /** Whether it is, or was a moment ago. */
  readonly isOpen: boolean;
  /** Whether it was when it was last looked at. */
  readonly isFailing: boolean;
  /** When the last time that it was ended, in ms; minus infinity where there was none. */
  readonly backMs: number;
  /** Takes an error that says why it may be away. */
  suspect(error: Error): void;
  /** Takes which servers do not answer. */
  take(silent: readonly FailingServer[]): void;
  /** Forgets why it might have been: it is not. */
  clear(): void;
  /** Why it is, and what to do, as far as is known. */
  why(): string;
}

/** What it needs. */
export interface AwayOptions {
  redis: RedisConnection;
  /** What the log calls the server. */
  address: string;
  logger: Logger;
  now: () => number;
  /** Whether connections are made anew on purpose, so that it is nothing to be away for a moment. */
  isExpected: () => boolean;
}

/** How long Redis must be away before it is told of, in ms: by then a few attempts to connect have said why. */
const tellAfterMs = 500;

/** How long it must have answered, in ms. */
const steadyMs = 1000;

/** How long a new connection may take to its first command, in ms: longer, and the server reads its records back. */
const readyWithinMs = 1000;

/** Makes it. */
export function createAway({ redis, address, logger, now, isExpected }: AwayOptions): Away {
  /** The error that says why, if one does; else the first that there was. */
  let cause: Error | undefined;
  let servers: readonly string[] = [];
  let backMs = Number.NEGATIVE_INFINITY;
  let connectedMs: number | undefined;
  /** Since when it may be, by the first error; who has waited for an answer in vain knows that it was before. */
  let suspectedMs: number | undefined;

  const why = () => (cause && awayCause(cause)) ?? "it cannot be reached";
  const facts = (sinceMs: number) => spellFacts({ redis, address }, { reason: cause && saidIn(cause), servers }, sinceMs);
  const spell = createSpell({
    now,
    tellAfterMs,
    steadyMs,
    onBegun: (sinceMs) =>
      logger.error(
        facts(sinceMs),
        `Redis is away: ${why()}. Calls that need it get STORE_UNAVAILABLE, and the gateway connects again by itself`,
      ),
    onStill: (sinceMs) => logger.error(facts(sinceMs), `Redis is still away: ${why()}`),
    onOver: (sinceMs, untilMs, isNews) => {
      const outage_ms = Math.round(untilMs - sinceMs);
      const isNothing = isNews && isExpected();
      if (isNothing) logger.debug({ redis: address, outage_ms }, "connected anew");
      else if (isNews) logger.warn({ ...facts(sinceMs), outage_ms }, `Redis was away for ${seconds(outage_ms)}: ${why()}`);
      else logger.info({ redis: address, outage_ms }, `Redis is back after ${seconds(outage_ms)}`);
      clear();
      backMs = now();
    },
  });

  function suspect(error: Error): void {
    if (cause === undefined || awayCause(error) !== undefined) cause = error;
    suspectedMs ??= now() - (isCommandTimeout(error) ? commandTimeoutMs : 0);
  }

  function clear(): void {
    cause = undefined;
    suspectedMs = undefined;
  }

  /** One that is there and not ready has no error. One that hangs has said so by a time-out, and is no readier. */
  function lookAtReadiness(): void {
    if (redis.status !== "connect") {
      connectedMs = undefined;
      return;
    }
    connectedMs ??= now();
    if (now() - connectedMs > readyWithinMs && !isCommandTimeout(cause)) cause = new Error(notReadyMessage);
  }

  return {
    get isOpen() {
      return spell.isOpen;
    },
    get isFailing() {
      return spell.isFailing;
    },
    get backMs() {
      return backMs;
    },
    suspect,
    take(silent) {
      if (silent.length === 0) {
        connectedMs = undefined;
        spell.works();
        return;
      }
      for (const { error } of silent) suspect(error);
      servers = silent.flatMap(({ server }) => (server === "" ? [] : [server]));
      if (silent.some(({ error }) => isCommandTimeout(error))) dropUnresponsive(redis);
      lookAtReadiness();
      spell.fails(suspectedMs);
    },
    clear,
    why: () => (cause === undefined ? why() : `${why()} (${saidIn(cause)})`),
  };
}
