import { drawInside, pickByShare } from "../random/distributions.ts";
import { createRandom, type Random } from "../random/random.ts";
import { lognormalStays, type Stays } from "../time/stays.ts";
import { type Intention, maxTraceMs, purposes, type TraceChange } from "../trace/intention.ts";
import { type Behaviour, checkBehaviour } from "./parameters.ts";

/** All of an intention but who, when and where. */
export type IntentionDetails = Omit<Intention, "id" | "atMs" | "person" | "latitude" | "longitude" | "siteRef">;

/** The concepts that have a source of random numbers of their own. */
const concepts = [
  "purpose",
  "courier",
  "parcel",
  "walk",
  "patience",
  "looks",
  "think",
  "option",
  "change",
  "overflow",
  "deposit",
  "stay",
  "collection",
] as const;

/** Longest time that somebody thinks. */
const longestThinkMs = 600_000;

/**
 * Returns a function that draws the details of one intention after the other. Each concept has its own source and takes the same count of numbers from it for
 * every intention, whatever the parameters: so a changed parameter changes what it is about and nothing else.
 *
 * @param stays of deliveries. Default: those of the behaviour
 * @throws RangeError if a parameter is out of its range
 */
export function detailsSource(behaviour: Behaviour, seed: number, stays = staysOf(behaviour)): () => IntentionDetails {
  checkBehaviour(behaviour);
  const sources = Object.fromEntries(concepts.map((concept) => [concept, createRandom(seed, concept)])) as Record<
    (typeof concepts)[number],
    Random
  >;
  const { courierShares, parcels, walks, overflows, purposeShares } = behaviour;
  const weightsOf = (list: readonly { share: number }[]) => list.map(({ share }) => share);
  const shares = {
    purposes: purposes.map((purpose) => purposeShares[purpose]),
    parcels: weightsOf(parcels),
    walks: weightsOf(walks),
    overflows: weightsOf(overflows),
    options: [
      Math.max(0, 1 - behaviour.secondOptionShare - behaviour.thirdOptionShare),
      behaviour.secondOptionShare,
      behaviour.thirdOptionShare,
    ],
  };
  const think = lognormalStays({
    medianMs: behaviour.thinkMedianMs,
    p90Ms: 3 * behaviour.thinkMedianMs,
    longestMs: Math.max(longestThinkMs, behaviour.thinkMedianMs),
  });
  const pick = <T>(items: readonly T[], of: readonly number[], source: Random) => items[pickByShare(of, source.next())] as T;
  return () => {
    const purpose = pick(purposes, shares.purposes, sources.purpose);
    const { share: _parcel, ...parcel } = pick(parcels, shares.parcels, sources.parcel);
    const { share: _overflow, ...overflow } = pick(overflows, shares.overflows, sources.overflow);
    const deposit = drawDeposit(purpose === "DELIVERY", behaviour, sources.deposit);
    return {
      walkM: pick(walks, shares.walks, sources.walk).walkM,
      purpose,
      courier: pickByShare(courierShares, sources.courier.next()) + 1,
      ...parcel,
      patienceMs: Math.max(1, between(behaviour.patienceMs, sources.patience)),
      looks: drawLooks(behaviour.lookAgainShare, sources.looks),
      thinkMs: think(drawInside(sources.think)),
      option: pickByShare(shares.options, sources.option.next()) + 1,
      ...drawChange(behaviour, deposit ?? behaviour.deliverAfterMs[1], sources.change),
      ...overflow,
      depositAfterMs: deposit,
      ...drawStay(purpose === "DELIVERY", behaviour, stays, sources.stay),
      // Couriers have tokens.
      collectBy: sources.collection.next() < behaviour.pinShare && purpose === "DELIVERY" ? "PIN" : "TOKEN",
    };
  };
}

/** The lognormal stays of deliveries. */
export function staysOf({ stayMedianMs, stayP90Ms }: Behaviour): Stays {
  return lognormalStays({ medianMs: stayMedianMs, p90Ms: stayP90Ms, longestMs: maxTraceMs });
}

function between([least, most]: readonly [number, number], source: Random): number {
  return Math.round(source.between(least, most));
}

function drawLooks(againShare: number, source: Random): number {
  const u = source.next();
  let looks = 1;
  for (let share = againShare; u < share && looks < 5; share *= againShare) looks++;
  return looks;
}

/** What the person changes, and when: at any time until the deposit would be due. */
function drawChange({ leaveShare, cancelShare, redirectShare }: Behaviour, untilMs: number, source: Random) {
  const [leaves, what, when] = [source.next(), source.next(), source.next()];
  let change: TraceChange = "KEEPS";
  if (leaves < leaveShare) change = "LEAVES";
  else if (what < cancelShare) change = "CANCELS";
  else if (what < cancelShare + redirectShare) change = "REDIRECTS";
  const isLater = change === "CANCELS" || change === "REDIRECTS";
  return { change, changeAfterMs: isLater ? Math.floor(when * untilMs) : 0 };
}

function drawDeposit(isDelivery: boolean, { deliverAfterMs, bringAfterMs, noShowShare }: Behaviour, source: Random): number | null {
  const [isNoShow, when] = [source.next() < noShowShare, source.next()];
  const [least, most] = isDelivery ? deliverAfterMs : bringAfterMs;
  return isNoShow ? null : Math.round(least + when * (most - least));
}

function drawStay(isDelivery: boolean, behaviour: Behaviour, stays: Stays, source: Random): { stayMs: number | null } {
  const [isLeft, u] = [source.next() < behaviour.uncollectedShare, drawInside(source)];
  if (!isDelivery)
    return { stayMs: Math.round(behaviour.pickUpAfterMs[0] + u * (behaviour.pickUpAfterMs[1] - behaviour.pickUpAfterMs[0])) };
  return { stayMs: isLeft ? null : stays(u) };
}
