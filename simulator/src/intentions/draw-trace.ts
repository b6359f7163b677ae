import type { People } from "../city/people.ts";
import { createRandom } from "../random/random.ts";
import { drawArrivals } from "../time/arrivals.ts";
import { weeklyRate } from "../time/rate.ts";
import { empiricalStays } from "../time/stays.ts";
import { checkoutWeek, type WeekShape } from "../time/week-shape.ts";
import { checkHeader, type ParameterValue, type TraceHeader } from "../trace/header.ts";
import type { Intention } from "../trace/intention.ts";
import { detailsSource, staysOf } from "./draw-details.ts";
import { type Behaviour, checkBehaviour, defaultBehaviour } from "./parameters.ts";

/** A city over a period. */
export interface TraceOptions {
  /** A whole number of at least 0. */
  seed: number;
  /** Name for reports, 1 to 100 characters. */
  city: string;
  /** IANA name. */
  timeZone: string;
  /** Start of the period, in ms since 1970. */
  startMs: number;
  /** Its length in ms, at most 3660 days. */
  durationMs: number;
  people: People;
  /** How the people are known, for the header, e.g. `postal codes of sg.csv`. */
  peopleFrom: string;
  /** Default: the documented behaviour. */
  behaviour?: Behaviour;
  /** Default: the documented week. */
  week?: WeekShape;
  /** Observed stays of deliveries in ms, drawn in place of the behaviour's lognormal ones. */
  observedStaysMs?: readonly number[];
}

/** A trace that is drawn while it is read. Every iteration draws the same intentions. */
export interface DrawnTrace {
  readonly header: TraceHeader;
  /** How many intentions are expected. */
  readonly expected: number;
  readonly intentions: Iterable<Intention>;
}

/**
 * Draws the trace of a city. The same options give the same trace, on every machine.
 *
 * @throws InputError or RangeError if an option is out of its range
 */
export function drawTrace(options: TraceOptions): DrawnTrace {
  const {
    seed,
    city,
    timeZone,
    startMs,
    durationMs,
    people,
    peopleFrom,
    behaviour = defaultBehaviour,
    week = checkoutWeek,
    observedStaysMs,
  } = options;
  checkBehaviour(behaviour);
  const stays = observedStaysMs === undefined ? staysOf(behaviour) : empiricalStays(observedStaysMs);
  const residents = Math.round(people.residents);
  const header = checkHeader(
    {
      schema: "petak.trace",
      version: 1,
      seed,
      city,
      timeZone,
      startAt: new Date(startMs).toISOString(),
      durationMs,
      drawn: `Drawn by seed for the people of ${peopleFrom}.`,
      parameters: { people: peopleFrom, residents, behaviour, week, observedStays: observedStaysMs?.length ?? null } as unknown as {
        [name: string]: ParameterValue;
      },
    },
    { file: "the options of the trace" },
  );
  const perWeek = (7 * behaviour.parcelsPerDayPerThousand * people.residents) / 1000;
  const rate = weeklyRate({ startMs, durationMs, timeZone }, perWeek, week);
  return {
    header,
    expected: rate.total,
    intentions: {
      *[Symbol.iterator]() {
        const drawDetails = detailsSource(behaviour, seed, stays);
        const who = createRandom(seed, "who");
        let id = 0;
        for (const atMs of drawArrivals(rate, createRandom(seed, "arrivals"))) {
          id++;
          yield { id, atMs, ...people.draw(who), siteRef: null, ...drawDetails() };
        }
      },
    },
  };
}
