import { PositionIndex } from "../../geo/position-index.ts";
import type { IntentionEnded, SiteSeen } from "../../observe/observation.ts";
import type { PlanFigures } from "../report.ts";
import { share } from "./spread.ts";

/** Sites that a run has beyond those that exist, as `placeSites` chose them. */
export interface Plan {
  /** Walk within which a site covers people, in m. */
  readonly walkM: number;
  /** All people, and those within the walk of a site that exists. */
  readonly residents: number;
  readonly coveredBefore: number;
  /** In the order of choice. `ref`: the operator's own reference of the site; `residents`: whom it covers and no site before it. */
  readonly sites: readonly { readonly ref: string; readonly residents: number }[];
}

interface Gain {
  met: number;
  newlyReached: number;
  savedM: number;
}

/** What planned sites bring: each parcel there is compared with the nearest site that is not planned, whether or not that had a place free. */
export class PlannedSites {
  readonly #plan: Plan;
  readonly #refs: ReadonlySet<string>;
  readonly #seen = new Map<string, SiteSeen>();
  readonly #gains = new Map<string, Gain>();
  #existing: PositionIndex | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#refs = new Set(plan.sites.map(({ ref }) => ref));
  }

  see(site: SiteSeen): void {
    this.#seen.set(site.siteId, site);
    if (!this.#refs.has(site.ref)) this.#existing = undefined;
  }

  /** Takes somebody who got a place. */
  add({ siteId, latitude, longitude, distanceM }: IntentionEnded): void {
    const site = this.#seen.get(siteId ?? "");
    if (site === undefined || distanceM === undefined || !this.#refs.has(site.ref)) return;
    const gain = this.#gains.get(site.ref) ?? { met: 0, newlyReached: 0, savedM: 0 };
    this.#gains.set(site.ref, gain);
    this.#existing ??= new PositionIndex(
      [...this.#seen.values()].filter(({ ref, isActive }) => isActive && !this.#refs.has(ref)),
      this.#plan.walkM,
    );
    const other = this.#existing.nearest({ latitude, longitude }, this.#plan.walkM);
    gain.met += 1;
    if (other === undefined) gain.newlyReached += 1;
    else gain.savedM += Math.round(other.distanceM - distanceM);
  }

  figures(): PlanFigures {
    const { walkM, residents, coveredBefore, sites } = this.#plan;
    const coveredAfter = sites.reduce((sum, site) => sum + site.residents, coveredBefore);
    const byRef = new Map([...this.#seen.values()].map((site) => [site.ref, site]));
    return {
      walkM,
      residents,
      coveredBefore,
      coveredAfter,
      coveredBeforeShare: share(coveredBefore, residents),
      coveredAfterShare: share(coveredAfter, residents),
      sites: sites.map(({ ref, residents }) => {
        const { name = ref, latitude = null, longitude = null } = byRef.get(ref) ?? {};
        const { met, newlyReached, savedM } = this.#gains.get(ref) ?? { met: 0, newlyReached: 0, savedM: 0 };
        return { ref, name, latitude, longitude, residents, met, newlyReached, savedM, savedMeanM: share(savedM, met - newlyReached) };
      }),
    };
  }
}
