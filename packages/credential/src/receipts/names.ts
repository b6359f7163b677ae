const namesOf = new WeakMap<object, ReadonlyMap<number, string>>();

/** The name of an enum's value as the protocol spells it, without the enum's own, e.g. `HELD`; the number where it has none here. */
export function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  let names = namesOf.get(values);
  if (names === undefined) {
    // The first of several names of one value counts.
    names = new Map(
      Object.entries(values)
        .map(([name, number]) => [number, name] as const)
        .reverse(),
    );
    namesOf.set(values, names);
  }
  return names.get(value) ?? String(value);
}
