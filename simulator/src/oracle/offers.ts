import type { OfferSeen, SiteSeen } from "../observe/observation.ts";
import type { Finding, Judgement } from "./judgement.ts";
import { isOpenAt } from "./opening.ts";
import type { FullOptions } from "./options.ts";
import type { Places } from "./places.ts";
import type { Sites } from "./sites.ts";

/** Times of opening are compared in seconds. */
const secondMs = 1000;

/** Free places of an offer are stated up to this number. */
const statedMax = 255;

/** Checks what was offered. */
export class Offers {
  readonly #judgement: Judgement;
  readonly #sites: Sites;
  readonly #places: Places;
  readonly #options: FullOptions;
  #readings = 0;

  constructor(judgement: Judgement, sites: Sites, places: Places, options: FullOptions) {
    this.#judgement = judgement;
    this.#sites = sites;
    this.#places = places;
    this.#options = options;
  }

  see(offer: OfferSeen): void {
    if (this.#isStale(offer)) return;
    this.#againstFacts(offer, "offered-closed", closedBy);
    this.#againstFacts(offer, "offered-too-small", tooSmallBy);
    this.#againstPlaces(offer);
  }

  #isStale(offer: OfferSeen): boolean {
    const { siteId, observedAtMs, ttlMs, askedAtMs, includesUnknown } = offer;
    if (includesUnknown === true || askedAtMs === undefined) return false;
    const sinceMs = askedAtMs - (observedAtMs + ttlMs);
    if (sinceMs <= this.#options.toleranceMs) return false;
    const text = `The site ${siteId} was offered by counts that had expired ${sinceMs} ms before it was asked for.`;
    this.#judgement.found({ rule: "offered-stale", text, intentions: [offer.intention], evidence: [offer] });
    return true;
  }

  /** The directory was read to its end. */
  directoryRead(): void {
    this.#readings += 1;
  }

  /**
   * An answer may rest on a newer version of a site than was read so far. The offer is wrong if it is by every version that is known when the directory was read
   * twice more: the first reading may have begun before.
   */
  #againstFacts(offer: OfferSeen, rule: Finding["rule"], problemBy: (offer: OfferSeen, site: SiteSeen) => string | undefined): void {
    const problemNow = () => {
      const versions = this.#sites.versions(offer.siteId);
      const problems = versions.map((site) => problemBy(offer, site));
      return problems.includes(undefined) ? undefined : problems.at(-1);
    };
    if (problemNow() === undefined) return;
    const readings = this.#readings;
    const check = (): Finding | undefined => {
      const problem = problemNow();
      if (problem === undefined) return undefined;
      if (this.#readings < readings + 2) {
        this.#judgement.later(check);
        return undefined;
      }
      const text = `The site ${offer.siteId} was offered although ${problem}.`;
      return { rule, text, intentions: [offer.intention], evidence: [...this.#sites.versions(offer.siteId).slice(-1), offer] };
    };
    this.#judgement.later(check);
  }

  /** Places that are certainly taken during the whole call are not free. */
  #againstPlaces(offer: OfferSeen): void {
    const { siteId, sizeClassId, freeToPromise, askedAtMs, atMs } = offer;
    if (freeToPromise === 0) {
      const text = `The site ${siteId} was offered with no free place of size class ${sizeClassId}.`;
      this.#judgement.found({ rule: "offered-full", text, intentions: [offer.intention], evidence: [offer] });
      return;
    }
    const { toleranceMs } = this.#options;
    const fromMs = (askedAtMs ?? offer.observedAtMs) - toleranceMs;
    const owners = [...this.#places.taken(siteId, sizeClassId)].filter(({ given }) => given !== undefined && given.atMs <= fromMs);
    const free = () => (this.#sites.installed(siteId, sizeClassId) ?? Number.POSITIVE_INFINITY) - owners.length;
    if (freeToPromise >= statedMax || freeToPromise <= free()) return;
    const given = owners.flatMap((facts) => (facts.given === undefined ? [] : [facts.given]));
    this.#judgement.later(() => {
      const sure = owners.filter((facts) => !facts.hadEndedBy(atMs + toleranceMs));
      const left = (this.#sites.installed(siteId, sizeClassId) ?? Number.POSITIVE_INFINITY) - sure.length;
      if (freeToPromise <= left) return undefined;
      const rule = left <= 0 ? "offered-full" : "count-differs";
      const text = `The site ${siteId} was offered with ${freeToPromise} free places of size class ${sizeClassId}, and ${Math.max(0, left)} are.`;
      return {
        rule,
        text,
        intentions: [offer.intention, ...sure.map(({ intention }) => intention)],
        evidence: [...given.slice(0, 19), offer],
      };
    });
  }
}

/** Why a site may not be offered for the time that was asked for. */
function closedBy({ openAtMs }: OfferSeen, site: SiteSeen): string | undefined {
  if (!site.isActive) return "it is not in service";
  if (openAtMs === undefined || site.hasExceptions === true) return undefined;
  const isClosed = [-secondMs, 0, secondMs].every((aside) => isOpenAt(site, openAtMs + aside) === false);
  return isClosed ? `it is closed at ${new Date(openAtMs).toISOString()}` : undefined;
}

/** Why the parcel does not fit: in millimetres, in any rotation, and by its mass. */
function tooSmallBy({ parcel, sizeClassId }: OfferSeen, site: SiteSeen): string | undefined {
  const place = site.sizeClasses.find((one) => one.sizeClassId === sizeClassId);
  if (place === undefined) return `it has no size class ${sizeClassId}`;
  if (parcel.massG > place.maxMassG) return `the parcel weighs ${parcel.massG} g and ${sizeClassId} takes ${place.maxMassG} g`;
  const [outer, inner] = [sidesOf(parcel), sidesOf(place)];
  const fits = outer.every((side, index) => side <= (inner[index] ?? 0));
  return fits ? undefined : `the parcel of ${outer.join(" × ")} mm does not fit into ${sizeClassId} of ${inner.join(" × ")} mm`;
}

function sidesOf({ widthMm, heightMm, depthMm }: { widthMm: number; heightMm: number; depthMm: number }): number[] {
  return [widthMm, heightMm, depthMm].sort((a, b) => a - b);
}
