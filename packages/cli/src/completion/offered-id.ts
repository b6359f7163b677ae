/** An id that completion offers. */
export interface OfferedId {
  readonly id: string;
  /** What it is the id of, for people: the name of a site. May be empty. */
  readonly what: string;
}

/** Leaves out what is no id: a shell might take it for text of its own, and a gateway, or who writes the file of those kept, could say anything. */
export function onlyIds(offered: readonly OfferedId[]): OfferedId[] {
  return offered.filter(({ id, what }) => /^[a-z]{2,5}_\w{1,60}$/.test(id) && typeof what === "string");
}
