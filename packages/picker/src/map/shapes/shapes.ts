/** The shapes of the map as text, as they are bundled. Lines are written by `encodeLine` and stand apart by a space. */
export interface Shapes {
  /** The coasts of land, and of the inland seas in it: rings, of which those within others are water. */
  readonly land: string;
  readonly lakes: string;
  readonly countryBorders: string;
  /** In South-East Asia only. */
  readonly provinceBorders: string;
  /** Lines of name, longitude, latitude and rank (0 the largest, 10 the smallest), apart by tabs. */
  readonly places: string;
}
