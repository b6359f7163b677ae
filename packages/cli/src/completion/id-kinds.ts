/** What ids begin with, of which a gateway can say which ones its caller has. */
export const idKinds = ["res", "site", "bdl", "whe", "key", "par"] as const;

/** A value of {@link idKinds}. */
export type IdKind = (typeof idKinds)[number];

/** The kinds of ids that an argument or an option takes, as its description says: `a site, site_…`. */
export function kindsIn(description: string): IdKind[] {
  return idKinds.filter((kind) => description.includes(` ${kind}_…`) || description.startsWith(`${kind}_…`));
}

/** Parses kinds with commas between them. Others are left out. */
export function parseKinds(text: string): IdKind[] {
  return idKinds.filter((kind) => text.split(",").includes(kind));
}
