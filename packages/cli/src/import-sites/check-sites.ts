import { buildSite, type CheckedSite, type SiteSettings } from "./build-site.ts";
import type { Refusal } from "./refusal.ts";
import type { SiteSource } from "./site-source.ts";
import type { ReadObserver } from "./text-source.ts";

/** What was seen in a file beside its sites and refusals. */
export interface FileFacts {
  /** Rows, refused ones among them. */
  rows: number;
  /** Rows of another kind than the one wanted, passed over. */
  leftOut: number;
  /** Sites that stand within about a metre of one before them. That is allowed. */
  sharedPositions: number;
  /** Sites that seem to lie in another country, and the first of their lines. */
  outsideCountry: number;
  outsideCountryLines: number[];
}

/** No facts yet. */
export function noFacts(): FileFacts {
  return { rows: 0, leftOut: 0, sharedPositions: 0, outsideCountry: 0, outsideCountryLines: [] };
}

/**
 * Reads a file from its start and judges every row, in the order of the file. A second reading of the same file judges the same.
 *
 * @param facts Counted up while reading.
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

/** One number for every square of 0.00001 degree: a set of numbers stays small where millions of texts would not. */
function metreOf(latitude: number, longitude: number): number {
  return Math.round((latitude + 90) * 1e5) * 36_000_001 + Math.round((longitude + 180) * 1e5);
}
