/** The name of an enum's value as the protocol spells it, without the enum's own, e.g. `HELD`; the number where it has none here. */
export function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
