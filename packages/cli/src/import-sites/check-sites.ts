import { buildSite, type CheckedSite, type SiteSettings } from "./build-site.ts";
import type { Refusal } from "./refusal.ts";
import type { SiteSource } from "./site-source.ts";
import type { ReadObserver } from "./text-source.ts";

/** Counts of a file besides its sites and refusals. */
export interface FileFacts {
  /** All rows, including refused ones. */
  rows: number;
  /** Skipped rows of another kind. */
  leftOut: number;
  /** Sites within about a metre of an earlier one, which is allowed. */
  sharedPositions: number;
  /** Sites that seem to be in another country, and the lines of the first ones. */
  outsideCountry: number;
  outsideCountryLines: number[];
}

/** Empty counts. */
export function noFacts(): FileFacts {
  return { rows: 0, leftOut: 0, sharedPositions: 0, outsideCountry: 0, outsideCountryLines: [] };
}

/**
 * Checks every row of a file in order. Deterministic, so a second reading gives the same result.
 *
 * @param facts updated while reading
 */
export async function* checkSites(
  source: SiteSource,
  settings: SiteSettings,
  facts: FileFacts,
  observer?: ReadObserver,
): AsyncGenerator<CheckedSite | Refusal, void, undefined> {
  const seen = new Map<string, { row: number; line: number }>();
  const positions = new Set<number>();
  for await (const draft of source.drafts(observer)) {
    if (draft.kind === "draft" && draft.siteKind !== undefined && settings.siteKind !== undefined && draft.siteKind !== settings.siteKind) {
      facts.leftOut += 1;
      continue;
    }
    facts.rows += 1;
    const checked = draft.kind === "refusal" ? draft : buildSite(draft, settings);
    if (checked.kind === "refusal") {
      yield checked;
      continue;
    }
    const { operatorSiteRef, name, position } = checked.site;
    const earlier = seen.get(operatorSiteRef);
    if (earlier !== undefined) {
      const message = `the reference "${operatorSiteRef}" stands in row ${earlier.row}, line ${earlier.line}, already`;
      yield {
        kind: "refusal",
        row: checked.row,
        line: checked.line,
        reason: "duplicate-reference",
        message,
        reference: operatorSiteRef,
        name,
      };
      continue;
    }
    seen.set(operatorSiteRef, { row: checked.row, line: checked.line });
    const metre = metreOf(position?.latitude ?? 0, position?.longitude ?? 0);
    if (positions.has(metre)) facts.sharedPositions += 1;
    positions.add(metre);
    if (!checked.agreesWithCountry) {
      facts.outsideCountry += 1;
      if (facts.outsideCountryLines.length < 3) facts.outsideCountryLines.push(checked.line);
    }
    yield checked;
  }
}

/** A number for each square of 0.00001 degree; a set of numbers needs less memory than a set of texts. */
function metreOf(latitude: number, longitude: number): number {
  return Math.round((latitude + 90) * 1e5) * 36_000_001 + Math.round((longitude + 180) * 1e5);
}
