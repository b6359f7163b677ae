import { type FailingServer, isCluster, type RedisConnection } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";
import { createSpell, type Spell, seconds } from "./spell.ts";
import { spellFacts } from "./spell-facts.ts";
import { type Refusal, refusalAdvice, refusalIn, refusals, saidIn } from "./store-trouble.ts";

/** What is known of Redis taking no changes while it answers, and the telling of it. */
export interface Refusing {
  /** Whether changes are refused for whatever reason, or were a moment ago. */
  readonly isOpen: boolean;
  /** Whether they are refused for one reason, or were a moment ago. */
  isOpenFor(refusal: Refusal): boolean;
  /** Why they were refused when it was last looked. */
  readonly reasons: ReadonlySet<Refusal>;
  /** Takes that Redis has refused a change. */
  heard(refusal: Refusal, error: Error): void;
  /** Takes which servers refuse to write. */
  take(refusing: readonly FailingServer[]): void;
  /** Takes whether as many replicas follow as changes wait for. */
  takeFollowed(areFollowed: boolean): void;
}

/** What it needs. */
export interface RefusingOptions {
  redis: RedisConnection;
  /** What the log calls the server. */
  address: string;
  logger: Logger;
  now: () => number;
}

/** How long a server of a cluster must refuse before it is told of, in ms: by then it is known which. A single one is told of at once. */
const memberTellAfterMs = 200;

/** How long replicas may be late before they are told of, in ms: after a start or a lost connection they are found again within one. */
const replicasTellAfterMs = 3000;

/** How long changes must have been taken again, in ms: near a limit they are and are not. */
const steadyMs = 3000;

interface Said {
  reason: string;
  servers: readonly string[];
}

/** Makes it. */
export function createRefusing({ redis, address, logger, now }: RefusingOptions): Refusing {
  const said = new Map<Refusal, Said>();

  function spellOf(refusal: Refusal, tellAfterMs: number, answers: string): Spell {
    const advice = refusalAdvice[refusal];
    const facts = (sinceMs: number) => spellFacts({ redis, address }, said.get(refusal) ?? {}, sinceMs);
    return createSpell({
      now,
      tellAfterMs,
      steadyMs,
      onBegun: (sinceMs) =>
        logger.error(
          facts(sinceMs),
          `Redis takes no changes: ${advice}. Calls that change something get ${answers}; searches and other reads go on`,
        ),
      onStill: (sinceMs) => logger.error(facts(sinceMs), `Redis still takes no changes: ${advice}`),
      onOver: (sinceMs, untilMs, isNews) => {
        const outage_ms = Math.round(untilMs - sinceMs);
        if (isNews) logger.warn({ ...facts(sinceMs), outage_ms }, `Redis took no changes for ${seconds(outage_ms)}: ${advice}`);
        else logger.info({ redis: address, outage_ms }, `Redis takes changes again, after ${seconds(outage_ms)}`);
        said.delete(refusal);
      },
    });
  }

  const tellAfterMs = isCluster(redis) ? memberTellAfterMs : 0;
  const spells = new Map(refusals.map((refusal) => [refusal, spellOf(refusal, tellAfterMs, "STORE_UNAVAILABLE")]));
  /** Fewer replicas than a change waits for: the gateway refuses then what the server would take. */
  const followed = spellOf("replicas", replicasTellAfterMs, "REPLICAS_UNAVAILABLE or DURABILITY_UNCONFIRMED");

  return {
    get isOpen() {
      return followed.isOpen || [...spells.values()].some(({ isOpen }) => isOpen);
    },
    isOpenFor: (refusal) => spells.get(refusal)?.isOpen === true,
    get reasons() {
      const reasons = new Set(refusals.filter((refusal) => spells.get(refusal)?.isFailing === true));
      if (followed.isFailing) reasons.add("replicas");
      return reasons;
    },
    heard(refusal, error) {
      said.set(refusal, { reason: saidIn(error), servers: said.get(refusal)?.servers ?? [] });
      spells.get(refusal)?.fails();
    },
    take(refusing) {
      for (const [refusal, spell] of spells) {
        const own = refusing.filter(({ error }) => refusalIn(error) === refusal);
        const [first] = own;
        if (first === undefined) {
          spell.works();
        } else {
          said.set(refusal, { reason: saidIn(first.error), servers: own.map(({ server }) => server) });
          spell.fails();
        }
      }
    },
    takeFollowed(areFollowed) {
      if (areFollowed) followed.works();
      else followed.fails();
    },
  };
}
