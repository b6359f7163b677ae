/** A length that people read off a map. */
export interface Length {
  readonly metres: number;
  /** With its unit, in the page's language. */
  readonly text: string;
}

const roundMetres = [20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6];

/** Says lengths in a language, as metres below a kilometre. @param language BCP 47 */
export function speakLengths(language: string): (metres: number) => Length {
  const format = (unit: string) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" });
  const [inMetres, inKilometres] = [format("meter"), format("kilometer")];
  return (metres) => ({ metres, text: metres < 1000 ? inMetres.format(metres) : inKilometres.format(metres / 1000) });
}

/** The longest round length that is no longer than another, or the shortest there is. */
export function roundDown(metres: number): number {
  return roundMetres.findLast((length) => length <= metres) ?? 20;
}

/** The shortest round length that is no shorter than another, or the longest there is. */
export function roundUp(metres: number): number {
  return roundMetres.find((length) => length >= metres) ?? 5e6;
}
