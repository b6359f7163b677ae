/** The screens, as they stand in the address behind `#/`. */
export const screenNames = [
  "today",
  "hand-over",
  "take-in",
  "delivery",
  "shelf",
  "parcel",
  "capacity",
  "shift",
  "month",
  "menu",
  "languages",
  "help",
] as const;

export type ScreenName = (typeof screenNames)[number];

/** Where the clerk is. */
export interface Route {
  readonly name: ScreenName;
  /** The parcel's reservation. Empty on other screens. */
  readonly id: string;
}

/** Reads the part of an address behind `#`. Anything unknown is the first screen. */
export function readRoute(hash: string): Route {
  const [, name, id = ""] = hash.split("/");
  const known = screenNames.find((one) => one === name);
  return known === undefined ? { name: "today", id: "" } : { name: known, id: decodeURIComponent(id) };
}

/** Writes a route for the address. */
export function writeRoute({ name, id }: Route): string {
  return id === "" ? `#/${name}` : `#/${name}/${encodeURIComponent(id)}`;
}
