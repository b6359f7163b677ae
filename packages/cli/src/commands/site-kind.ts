import { SiteKind } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

/** The displayed name of a kind of site: `terminal`, `store`, or `other` for kinds unknown to this version. */
export function siteKindName(kind: SiteKind): string {
  if (kind === SiteKind.PARCEL_TERMINAL) return "terminal";
  return kind === SiteKind.COLLECTION_POINT ? "store" : "other";
}

/** Parses `terminal` or `store`. */
export function parseSiteKind(text: string): SiteKind {
  const name = text.trim().toLowerCase();
  if (name === "terminal") return SiteKind.PARCEL_TERMINAL;
  if (name === "store") return SiteKind.COLLECTION_POINT;
  throw new InvalidArgumentError('write "terminal" or "store".');
}
