import type { Observation, SiteSampled } from "../observe/observation.ts";
import type { FeedOrder } from "./feed-order.ts";
import type { Finding, Judgement } from "./judgement.ts";
import type { FullOptions } from "./options.ts";
import { isHeld, isOccupied, type ReservationFacts, type Reservations } from "./reservations.ts";
import type { Sites } from "./sites.ts";

/** Least and greatest number that the record allows. */
interface Range {
  least: number;
  most: number;
}

/** What the record says of a site or of a size class at a time. */
interface Recorded {
  readonly held: Range;
  readonly occupied: Range;
  readonly owners: ReservationFacts[];
}

type SizeClassCounts = SiteSampled["sizeClasses"][number];

/**
 * Checks the counts of sites. Those of a moment are compared with the states that the events say reservations had then. Whatever was recorded within the tolerance
 * of that moment may be counted or not.
 */
export class Counts {
  readonly #judgement: Judgement;
  readonly #reservations: Reservations;
  readonly #sites: Sites;
  readonly #feeds: FeedOrder;
  readonly #options: FullOptions;

  constructor(judgement: Judgement, reservations: Reservations, sites: Sites, feeds: FeedOrder, options: FullOptions) {
    this.#judgement = judgement;
    this.#reservations = reservations;
    this.#sites = sites;
    this.#feeds = feeds;
    this.#options = options;
  }

  see(sample: SiteSampled): void {
    if (!sample.isKnown) return;
    for (const counts of sample.sizeClasses) {
      const problem = contradiction(counts);
      if (problem === undefined) continue;
      const text = `The site ${sample.siteId} states of size class ${counts.sizeClassId} ${problem}.`;
      this.#judgement.found({ rule: "count-differs", text, intentions: [], evidence: [sample] });
      return;
    }
    this.#judgement.later(() => this.#installed(sample) ?? this.#record(sample));
  }

  #installed(sample: SiteSampled): Finding | undefined {
    const versions = this.#sites.versions(sample.siteId);
    if (versions.length === 0) return undefined;
    for (const { sizeClassId, installed } of sample.sizeClasses) {
      const isSo = versions.some(({ sizeClasses }) =>
        sizeClasses.some((one) => one.sizeClassId === sizeClassId && one.installed === installed),
      );
      if (isSo) continue;
      const text = `The site ${sample.siteId} states ${installed} installed places of size class ${sizeClassId}, which the directory does not.`;
      return { rule: "count-differs", text, intentions: [], evidence: [...versions.slice(-1), sample] };
    }
    return undefined;
  }

  #record(sample: SiteSampled): Finding | undefined {
    // With events missing, the record is not known.
    if (this.#feeds.hasGaps) return undefined;
    const recorded = this.#recorded(sample);
    const all = together([...recorded.values()]);
    const total = {
      held: sample.sizeClasses.reduce((sum, { held }) => sum + held, 0),
      occupied: sample.sizeClasses.reduce((sum, { occupied }) => sum + occupied, 0),
    };
    const ofSite = this.#differing(sample, all, total, "in all");
    if (ofSite !== undefined || recorded.has("")) return ofSite;
    for (const counts of sample.sizeClasses) {
      const found = this.#differing(
        sample,
        recorded.get(counts.sizeClassId) ?? together([]),
        counts,
        `of size class ${counts.sizeClassId}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #differing(sample: SiteSampled, recorded: Recorded, stated: { held: number; occupied: number }, of: string): Finding | undefined {
    for (const kind of ["held", "occupied"] as const) {
      const { least, most } = recorded[kind];
      if (stated[kind] >= least && (!this.#options.isAlone || stated[kind] <= most)) continue;
      const said = least === most ? `${least}` : `${least} to ${most}`;
      const text = `The site ${sample.siteId} states ${stated[kind]} ${kind} places ${of}, and by the events it has ${this.#options.isAlone ? said : `at least ${least}`}.`;
      const evidence: Observation[] = recorded.owners.flatMap(({ given, feeds }) => [
        ...(given === undefined ? [] : [given]),
        ...[...feeds.values()].slice(0, 1).map(({ last }) => last),
      ]);
      const intentions = recorded.owners.map(({ intention }) => intention);
      return { rule: "count-differs", text, intentions, evidence: [...evidence.slice(0, 19), sample] };
    }
    return undefined;
  }

  /** By size class; "": of those whose size class is not known. */
  #recorded({ siteId, publishedAtMs }: SiteSampled): Map<string, Recorded> {
    const bySizeClass = new Map<string, Recorded>();
    for (const facts of this.#reservations.countedAt(siteId)) {
      const states = [...facts.statesAt(publishedAtMs, this.#options.toleranceMs)];
      if (!states.some((state) => isHeld(state) || isOccupied(state))) continue;
      const sizeClassId = facts.given?.siteId === siteId ? facts.given.sizeClassId : "";
      const recorded = bySizeClass.get(sizeClassId) ?? together([]);
      bySizeClass.set(sizeClassId, recorded);
      recorded.owners.push(facts);
      count(recorded.held, states, isHeld);
      count(recorded.occupied, states, isOccupied);
    }
    return bySizeClass;
  }
}

function count(range: Range, states: readonly string[], isCounted: (state: string) => boolean): void {
  if (states.every(isCounted)) range.least += 1;
  if (states.some(isCounted)) range.most += 1;
}

function together(all: readonly Recorded[]): Recorded {
  const sum = (ranges: readonly Range[]): Range => ({
    least: ranges.reduce((total, { least }) => total + least, 0),
    most: ranges.reduce((total, { most }) => total + most, 0),
  });
  return {
    held: sum(all.map(({ held }) => held)),
    occupied: sum(all.map(({ occupied }) => occupied)),
    owners: all.flatMap(({ owners }) => owners),
  };
}

/** What is wrong with the counts of a size class by themselves. */
function contradiction({ installed, inService, occupied, held, occupiedByOthers, freeToPromise }: SizeClassCounts): string | undefined {
  if (inService > installed) return `${inService} places in service and ${installed} installed`;
  const free = Math.max(0, inService - occupied - held - occupiedByOthers);
  if (freeToPromise !== free) return `${freeToPromise} free places, where ${inService} in service leave ${free}`;
  return undefined;
}
