import type { DoorActed, Observation } from "../observe/observation.ts";
import type { Finding, Judgement } from "./judgement.ts";
import type { FullOptions } from "./options.ts";
import type { ReservationFacts, Reservations } from "./reservations.ts";

/** How long, and how often, a credential may open its door again if the sensor did not see what it should: docs/credentials.md. */
const graceMs = 120_000;
const reopeningsMax = 2;

/** Spent credentials that are remembered of one reservation. */
const credentialsMax = 20;

/** Doors whose reports are awaited at one site. */
const awaitedMax = 1000;

/** A credential that has opened a door. */
interface Use {
  readonly first: DoorActed;
  last: DoorActed;
  reopenings: number;
  isSettled: boolean;
}

const eventOfAct: Readonly<Record<DoorActed["act"], string | undefined>> = {
  DEPOSIT: "PARCEL_DEPOSITED",
  COLLECT: "PARCEL_COLLECTED",
  RECALL: "PARCEL_RECALLED",
  SERVICE: undefined,
};

/** Checks what opened at doors. SERVICE is not judged: it moves no parcel. */
export class Doors {
  /** By reservation, then by credential. */
  readonly #uses = new Map<string, Map<string, Use>>();
  /** Whose parcel lies in which compartment. */
  readonly #inside = new Map<string, ReservationFacts>();
  /** By site, doors that its terminal has not reported yet. */
  readonly #awaited = new Map<string, { facts: ReservationFacts; door: DoorActed }[]>();
  /** By site, when its terminal last asked successfully what has changed, by the network's time. */
  readonly #synchronisedMs = new Map<string, number>();
  readonly #judgement: Judgement;
  readonly #reservations: Reservations;
  readonly #options: FullOptions;

  constructor(judgement: Judgement, reservations: Reservations, options: FullOptions) {
    this.#judgement = judgement;
    this.#reservations = reservations;
    this.#options = options;
  }

  /** A terminal asked what has changed. */
  synchronised(siteId: string, atMs: number): void {
    this.#synchronisedMs.set(siteId, Math.max(atMs, this.#synchronisedMs.get(siteId) ?? 0));
  }

  /** A reservation is forgotten. */
  dropped(facts: ReservationFacts): void {
    this.#uses.delete(facts.reservationId);
    if (facts.parcelIn !== undefined && this.#inside.get(facts.parcelIn) === facts) this.#inside.delete(facts.parcelIn);
  }

  act(door: DoorActed): void {
    if (!door.opened || door.act === "SERVICE") return;
    const facts = this.#reservations.get(door.reservationId);
    const finding = facts === undefined ? this.#unknown(door) : this.#judge(facts, door);
    if (finding !== undefined) this.#judgement.found(finding);
    if (facts === undefined) return;
    this.#use(facts, door);
    this.#move(facts, door);
    facts.keep(door);
    if (finding === undefined) this.#await(facts, door);
  }

  #judge(facts: ReservationFacts, door: DoorActed): Finding | undefined {
    const use = this.#uses.get(facts.reservationId)?.get(credentialOf(door));
    return use === undefined ? this.#withoutRight(facts, door) : this.#spent(facts, door, use);
  }

  #unknown(door: DoorActed): Finding {
    return this.#right(door, undefined, `there is no place of the reservation ${door.reservationId} in this run, or it ended long ago`, [
      door,
    ]);
  }

  #spent(facts: ReservationFacts, door: DoorActed, use: Use): Finding | undefined {
    const { first, last, reopenings } = use;
    const isOther = differ(door.compartmentId, last.compartmentId) || door.siteId !== last.siteId;
    const isLate = last.isInside !== undefined && door.atMs > last.atMs + graceMs + this.#options.toleranceMs;
    if (!use.isSettled && !isOther && !isLate && reopenings < reopeningsMax) return undefined;
    const text = `At the site ${door.siteId}, a ${nameOf(door)} that had opened ${whereOf(last)} opened ${whereOf(door)}.`;
    const evidence = [...new Set<Observation>([...facts.evidence, first, last, door])];
    return { rule: "spent-token-opened", text, intentions: [facts.intention, door.intention], evidence };
  }

  #withoutRight(facts: ReservationFacts, door: DoorActed): Finding | undefined {
    const { given, reservationId, parcel } = facts;
    const other = this.#inside.get(placeOf(door));
    const evidence = [...facts.evidence, door];
    if (given === undefined) return this.#right(door, facts, `the reservation ${reservationId} was given no place`, evidence);
    if (given.siteId !== door.siteId)
      return this.#right(door, facts, `the place of the reservation ${reservationId} is at ${given.siteId}`, evidence);
    if (door.act === "DEPOSIT") {
      if (parcel === "inside")
        return this.#right(door, facts, `the parcel of the reservation ${reservationId} was inside already`, evidence);
      if (differ(given.compartmentId, door.compartmentId))
        return this.#right(door, facts, `the reservation ${reservationId} was given ${given.compartmentId}`, evidence);
      if (other !== undefined && other !== facts) return this.#occupied(facts, other, door);
      return this.#over(facts, door, evidence);
    }
    if (parcel === "none") return this.#right(door, facts, `nothing was put in for the reservation ${reservationId}`, evidence);
    if (parcel === "out") return this.#right(door, facts, `the parcel of the reservation ${reservationId} had been taken out`, evidence);
    if (parcel === "inside" && door.compartmentId !== undefined && facts.parcelIn !== placeOf(door))
      return this.#right(door, facts, `the parcel of the reservation ${reservationId} lies in another compartment`, evidence);
    return undefined;
  }

  /** The site had heard that the reservation was over: it has asked what changed after that was recorded. */
  #over(facts: ReservationFacts, door: DoorActed, evidence: readonly Observation[]): Finding | undefined {
    const { endedAtMs, reservationId } = facts;
    if (endedAtMs === undefined || door.offline) return undefined;
    const heardMs = this.#synchronisedMs.get(door.siteId) ?? 0;
    const { toleranceMs } = this.#options;
    if (heardMs <= endedAtMs + toleranceMs || door.atMs <= heardMs + toleranceMs) return undefined;
    return this.#right(door, facts, `the reservation ${reservationId} was over, and the site had heard of that`, evidence);
  }

  #right(door: DoorActed, facts: ReservationFacts | undefined, why: string, evidence: readonly Observation[]): Finding {
    const text = `At the site ${door.siteId}, ${whereOf(door)} opened for ${door.act} although ${why}.`;
    return { rule: "opened-without-right", text, intentions: [facts?.intention ?? 0, door.intention], evidence };
  }

  #occupied(facts: ReservationFacts, other: ReservationFacts, door: DoorActed): Finding {
    const text = `At the site ${door.siteId}, ${whereOf(door)} opened for the parcel of ${facts.reservationId} and holds that of ${other.reservationId}.`;
    const evidence = [...other.evidence.slice(-5), ...facts.evidence.slice(-5), door];
    return { rule: "place-given-twice", text, intentions: [facts.intention, other.intention], evidence };
  }

  #use(facts: ReservationFacts, door: DoorActed): void {
    const uses = this.#uses.get(facts.reservationId) ?? new Map<string, Use>();
    this.#uses.set(facts.reservationId, uses);
    const key = credentialOf(door);
    const use = uses.get(key);
    const isSettled = !this.#options.hasBlindSensors && door.isInside === (door.act === "DEPOSIT");
    if (use === undefined) {
      if (uses.size < credentialsMax) uses.set(key, { first: door, last: door, reopenings: 0, isSettled });
      return;
    }
    use.last = door;
    use.reopenings += 1;
    use.isSettled ||= isSettled;
  }

  #move(facts: ReservationFacts, door: DoorActed): void {
    const place = placeOf(door);
    if (door.act === "DEPOSIT") {
      if (door.isInside === false) return;
      facts.parcel = door.isInside === undefined ? "perhaps" : "inside";
      facts.parcelIn = place;
      if (door.isInside === true && door.compartmentId !== undefined) this.#inside.set(place, facts);
      this.#reservations.revived(facts);
      return;
    }
    if (door.isInside === true) return;
    // Whoever opened it may have taken what lies there.
    this.#inside.delete(place);
    if (facts.parcelIn !== undefined && this.#inside.get(facts.parcelIn) === facts) this.#inside.delete(facts.parcelIn);
    facts.parcel = door.isInside === undefined ? "perhaps" : "out";
    if (!facts.isTaken || facts.endedAtMs !== undefined) this.#reservations.ended(facts);
  }

  #await(facts: ReservationFacts, door: DoorActed): void {
    if (door.isInside !== (door.act === "DEPOSIT")) return;
    const awaited = this.#awaited.get(door.siteId) ?? [];
    this.#awaited.set(door.siteId, awaited);
    awaited.push({ facts, door });
    if (awaited.length > awaitedMax) awaited.shift();
  }

  /** A terminal has reported all that happened at it: an event must tell of each parcel. */
  reported(siteId: string): void {
    const awaited = this.#awaited.get(siteId) ?? [];
    this.#awaited.delete(siteId);
    for (const { facts, door } of awaited) this.#judgement.later(() => this.#missing(facts, door));
  }

  #missing(facts: ReservationFacts, door: DoorActed): Finding | undefined {
    const type = eventOfAct[door.act] as string;
    const owner = facts.given?.participantId;
    const { types } = facts;
    if (owner === undefined ? types.size === 0 : !this.#judgement.readsFeed(owner)) return undefined;
    if (types.has(type) || types.has("RESERVATION_IN_DOUBT")) return undefined;
    if (this.#options.hasBlindSensors && types.has("DOOR_CLOSED")) return undefined;
    const text = `At the site ${door.siteId}, ${whereOf(door)} opened for ${door.act} and the terminal reported it, but no ${type} of the reservation ${facts.reservationId} came.`;
    return {
      rule: "door-event-missing",
      text,
      intentions: [facts.intention],
      evidence: [...new Set<Observation>([...facts.evidence, door])],
    };
  }
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function placeOf({ siteId, compartmentId = "" }: DoorActed): string {
  return `${siteId} ${compartmentId}`;
}

function whereOf({ compartmentId }: DoorActed): string {
  return compartmentId === undefined ? "the door" : `the compartment ${compartmentId}`;
}

function credentialOf({ act, credentialHash }: DoorActed): string {
  return `${act} ${credentialHash}`;
}

function nameOf({ by, act }: DoorActed): string {
  return `${by === "PIN" ? "PIN" : "token"} for ${act}`;
}
