import type { Region } from "@petak/protocol";

/** What begins with this is an id without its kind and region, which are known where it is kept. No id begins so. */
const mark = "_";

/** The kinds of id that are kept short, as they spell themselves. */
export type ShortIdKind = "site" | "evt";

/** The id of a region's thing without kind and region, for a record of that region; an id of another region as it is. */
export function shortId(kind: ShortIdKind, region: Region, id: string): string {
  const known = `${kind}_${region}`;
  return id.startsWith(known + mark) ? id.slice(known.length) : id;
}

/** The id of which {@link shortId} kept the rest. */
export function longId(kind: ShortIdKind, region: Region, id: string): string {
  return id.startsWith(mark) ? `${kind}_${region}${id}` : id;
}
