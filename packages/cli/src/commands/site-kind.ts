import { SiteKind } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

/** A kind of site as people say it: `terminal`, `store`, or `other` for one that this version does not know. */
export function siteKindName(kind: SiteKind): string {
  if (kind === SiteKind.PARCEL_TERMINAL) return "terminal";
  return kind === SiteKind.COLLECTION_POINT ? "store" : "other";
}

/** Reads `terminal` or `store` from the command line. */
export function parseSiteKind(text: string): SiteKind {
  const name = text.trim().toLowerCase();
  if (name === "terminal") return SiteKind.PARCEL_TERMINAL;
  if (name === "store") return SiteKind.COLLECTION_POINT;
  throw new InvalidArgumentError('write "terminal" or "store".');
}
