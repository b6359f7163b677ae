import { purposes, type TraceFallback } from "../trace/intention.ts";

/** A kind of parcel. */
export interface ParcelKind {
  /** Its share; shares need not add up to 1. */
  share: number;
  widthMm: number;
  heightMm: number;
  depthMm: number;
  massG: number;
}

/** How people behave. Shares are from 0 to 1. `docs/simulator.md` has the same table, with sources. */
export interface Behaviour {
  /** Parcels that an ordinary day has for each thousand residents and that somebody wants to send to, from or by a site. At least 0. */
  parcelsPerDayPerThousand: number;
  /** Shares of DELIVERY, RETURN and FIRST_MILE; they need not add up to 1. */
  purposeShares: Readonly<Record<(typeof purposes)[number], number>>;
  /** Shares of the couriers, the first is courier 1; they need not add up to 1. */
  courierShares: readonly number[];
  parcels: readonly ParcelKind[];
  /** Share who look and reserve nothing. */
  leaveShare: number;
  /** Share who cancel, or ask for another site, before the deposit; of those who reserve. */
  cancelShare: number;
  redirectShare: number;
  /** Share who look more than once; each further look has this probability again, up to 5 looks. */
  lookAgainShare: number;
  /** Share who take the second site that is offered, or the third, rather than the nearest. */
  secondOptionShare: number;
  thirdOptionShare: number;
  /** Median of the time between an answer and the next act, in ms; lognormal, the ninth decile is three times that. */
  thinkMedianMs: number;
  /** How long people wait for an answer, in ms: uniform between these. */
  patienceMs: readonly [least: number, most: number];
  /** Greatest distances that people accept, in m, with shares. */
  walks: readonly { share: number; walkM: number }[];
  /** Overflow policies with shares. */
  overflows: readonly { share: number; overflowWithinM: number; overflowWaitS: number; overflowFallback: TraceFallback }[];
  /** Time from the order until a courier can deposit a delivery, in ms: uniform between these. */
  deliverAfterMs: readonly [least: number, most: number];
  /** Time until a person brings a return or a first mile, in ms: uniform between these. */
  bringAfterMs: readonly [least: number, most: number];
  /** Share of reservations that nobody ever deposits. */
  noShowShare: number;
  /** Stays of deliveries until their consumer collects: lognormal. */
  stayMedianMs: number;
  stayP90Ms: number;
  /** Stays of returns and first miles until the courier takes them: uniform between these. */
  pickUpAfterMs: readonly [least: number, most: number];
  /** Share of deliveries that nobody collects. */
  uncollectedShare: number;
  /** Share of consumers who collect with a PIN rather than a token. */
  pinShare: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The documented defaults. */
export const defaultBehaviour: Behaviour = {
  parcelsPerDayPerThousand: 10,
  purposeShares: { DELIVERY: 0.85, RETURN: 0.1, FIRST_MILE: 0.05 },
  courierShares: [0.4, 0.3, 0.2, 0.1],
  parcels: [
    { share: 0.55, widthMm: 300, heightMm: 80, depthMm: 200, massG: 600 },
    { share: 0.3, widthMm: 350, heightMm: 150, depthMm: 250, massG: 2000 },
    { share: 0.12, widthMm: 380, heightMm: 300, depthMm: 380, massG: 6000 },
    { share: 0.03, widthMm: 390, heightMm: 500, depthMm: 500, massG: 15_000 },
  ],
  leaveShare: 0.3,
  cancelShare: 0.04,
  redirectShare: 0.02,
  lookAgainShare: 0.2,
  secondOptionShare: 0.12,
  thirdOptionShare: 0.05,
  thinkMedianMs: 15_000,
  patienceMs: [4000, 15_000],
  walks: [
    { share: 0.35, walkM: 500 },
    { share: 0.45, walkM: 1000 },
    { share: 0.2, walkM: 2000 },
  ],
  overflows: [
    { share: 0.5, overflowWithinM: 500, overflowWaitS: 0, overflowFallback: "REFUSE" },
    { share: 0.2, overflowWithinM: 1000, overflowWaitS: 6 * 3600, overflowFallback: "ASK_CONSUMER" },
    { share: 0.2, overflowWithinM: 0, overflowWaitS: 24 * 3600, overflowFallback: "HOLD_AT_DEPOT" },
    { share: 0.1, overflowWithinM: 0, overflowWaitS: 0, overflowFallback: "REFUSE" },
  ],
  deliverAfterMs: [12 * hourMs, 60 * hourMs],
  bringAfterMs: [10 * minuteMs, 24 * hourMs],
  noShowShare: 0.01,
  stayMedianMs: 9 * hourMs,
  stayP90Ms: 40 * hourMs,
  pickUpAfterMs: [2 * hourMs, 26 * hourMs],
  uncollectedShare: 0.015,
  pinShare: 0.35,
};

/**
 * Checks a behaviour.
 *
 * @throws RangeError that names the parameter, its value and its limits
 */
export function checkBehaviour(behaviour: Behaviour): void {
  for (const [name, value] of Object.entries(behaviour)) {
    if (name.endsWith("Share")) check(name, value, 0, 1);
    else if (Array.isArray(value) && name.endsWith("Ms")) checkRange(name, value);
    else if (name.endsWith("Ms")) check(name, value, 1, 30 * 24 * hourMs);
  }
  const { parcelsPerDayPerThousand, purposeShares, courierShares, parcels, walks, overflows, stayMedianMs, stayP90Ms } = behaviour;
  check("parcelsPerDayPerThousand", parcelsPerDayPerThousand, 0, 10_000);
  checkShares(
    "purposeShares",
    purposes.map((purpose) => purposeShares[purpose]),
  );
  checkShares("courierShares", courierShares);
  if (courierShares.length > 100) throw new RangeError(`courierShares has ${courierShares.length} couriers; there are at most 100`);
  for (const [name, list] of Object.entries({ parcels, walks, overflows }))
    checkShares(
      name,
      list.map(({ share }) => share),
    );
  for (const [one, other] of [
    ["cancelShare", "redirectShare"],
    ["secondOptionShare", "thirdOptionShare"],
  ] as const) {
    check(`the sum of ${one} and ${other}`, behaviour[one] + behaviour[other], 0, 1);
  }
  if (stayP90Ms < stayMedianMs) throw new RangeError(`stayP90Ms is ${stayP90Ms}, below stayMedianMs, ${stayMedianMs}`);
}

function check(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new RangeError(`${name} is from ${min} to ${max}, not ${value}`);
}

function checkRange(name: string, [least = Number.NaN, most = Number.NaN]: readonly number[]): void {
  check(name, least, 0, 30 * 24 * hourMs);
  check(name, most, least, 30 * 24 * hourMs);
}

function checkShares(name: string, shares: readonly number[]): void {
  for (const share of shares) check(`a share of ${name}`, share, 0, Number.MAX_SAFE_INTEGER);
  if (!shares.some((share) => share > 0)) throw new RangeError(`${name} needs a share above 0`);
}
