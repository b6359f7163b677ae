const namesOf = new WeakMap<object, ReadonlyMap<number, string>>();

/** The name of an enum value in the protocol without the enum's prefix, e.g. `HELD`; the number if this version does not know the value. */
export function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  let names = namesOf.get(values);
  if (names === undefined) {
    // Where a value has several names, the first one counts.
    names = new Map(
      Object.entries(values)
        .map(([name, number]) => [number, name] as const)
        .reverse(),
    );
    namesOf.set(values, names);
  }
  return names.get(value) ?? String(value);
}
