import type { PlaceGiven } from "../observe/observation.ts";
import type { Judgement } from "./judgement.ts";
import type { FullOptions } from "./options.ts";
import type { ReservationFacts } from "./reservations.ts";
import type { Sites } from "./sites.ts";

/**
 * Which places are certainly taken: from when the answer that gave them was here until just before what can free them was sent. No network can have fewer taken
 * at that moment. What ended a reservation by the clock is known only when its event was read, so the judgement waits for that.
 */
export class Places {
  readonly #bySizeClass = new Map<string, Set<ReservationFacts>>();
  readonly #byCompartment = new Map<string, Set<ReservationFacts>>();
  readonly #judgement: Judgement;
  readonly #sites: Sites;
  readonly #options: FullOptions;

  constructor(judgement: Judgement, sites: Sites, options: FullOptions) {
    this.#judgement = judgement;
    this.#sites = sites;
    this.#options = options;
  }

  /** Those that certainly have a place of a size class. */
  taken(siteId: string, sizeClassId: string): ReadonlySet<ReservationFacts> {
    return this.#bySizeClass.get(keyOf(siteId, sizeClassId)) ?? new Set();
  }

  give(facts: ReservationFacts, given: PlaceGiven): void {
    this.free(facts);
    facts.given = given;
    facts.isTaken = true;
    const { siteId, sizeClassId, compartmentId } = given;
    const taken = addTo(this.#bySizeClass, keyOf(siteId, sizeClassId), facts);
    const installed = () => this.#sites.installed(siteId, sizeClassId) ?? Number.POSITIVE_INFINITY;
    if (taken.size > installed()) this.#suspect(given, taken, installed, `of size class ${sizeClassId}`);
    if (compartmentId === undefined) return;
    const owners = addTo(this.#byCompartment, keyOf(siteId, compartmentId), facts);
    if (owners.size > 1) this.#suspect(given, owners, () => 1, compartmentId);
  }

  free(facts: ReservationFacts): void {
    const { given } = facts;
    facts.isTaken = false;
    if (given === undefined) return;
    removeFrom(this.#bySizeClass, keyOf(given.siteId, given.sizeClassId), facts);
    if (given.compartmentId !== undefined) removeFrom(this.#byCompartment, keyOf(given.siteId, given.compartmentId), facts);
  }

  #suspect(given: PlaceGiven, taken: ReadonlySet<ReservationFacts>, places: () => number, which: string): void {
    const untilMs = given.atMs + this.#options.toleranceMs;
    // As they are now: a reservation can get another place before it is judged.
    const owners = [...taken].map((facts) => ({ facts, given: facts.given as PlaceGiven }));
    this.#judgement.later(() => {
      const sure = owners.filter(({ facts }) => !facts.hadEndedBy(untilMs));
      if (sure.length <= places()) return undefined;
      const text = `The site ${given.siteId} has ${count(places(), "place")} ${which}, and ${sure.length} reservations have one, at last ${given.reservationId}.`;
      const evidence = sure.map(({ given: place }) => place);
      return { rule: "place-given-twice", text, intentions: sure.map(({ facts }) => facts.intention), evidence };
    });
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function keyOf(siteId: string, part: string): string {
  return `${siteId} ${part}`;
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, item: T): Set<T> {
  const set = sets.get(key) ?? new Set<T>();
  sets.set(key, set);
  return set.add(item);
}

function removeFrom<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}
