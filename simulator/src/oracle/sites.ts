import type { SiteSeen } from "../observe/observation.ts";

/** Versions of a site that are kept: the directory may be read after an answer of a newer one. */
const versionsMax = 4;

/** The sites of the city, in the versions that were seen. */
export class Sites {
  readonly #versions = new Map<string, SiteSeen[]>();

  see(site: SiteSeen): void {
    const versions = this.#versions.get(site.siteId) ?? [];
    versions.push(site);
    if (versions.length > versionsMax) versions.shift();
    this.#versions.set(site.siteId, versions);
  }

  /** Every version that is known, the latest last. */
  versions(siteId: string): readonly SiteSeen[] {
    return this.#versions.get(siteId) ?? [];
  }

  /** Most places of a size class in any version; undefined if the site or the class is not known. */
  installed(siteId: string, sizeClassId: string): number | undefined {
    const numbers = this.versions(siteId).flatMap(({ sizeClasses }) =>
      sizeClasses.filter((one) => one.sizeClassId === sizeClassId).map(({ installed }) => installed),
    );
    return numbers.length === 0 ? undefined : Math.max(...numbers);
  }
}
