import fc from "fast-check";

/** Numbers about the bounds of the protocol's fields, and others. */
const number = fc.oneof(
  fc.integer({ min: 1, max: 4000 }),
  fc.constantFrom(
    0,
    -0,
    -1,
    1.5,
    50,
    51,
    90,
    -90,
    90.000001,
    180,
    180.1,
    5000,
    5001,
    1_000_000,
    1_000_001,
    20_100_000,
    20_100_001,
    2 ** 32,
  ),
  fc.double(),
);

/** Ways to write a number, some of them wrong. */
export const numberTexts = ["1e2", "1E400", "-1e400", "-0", "-0.0", "5.0", "0.1e1", "4294967295", "4294967296", "01", "+1", "NaN", "1_0"];

const odd = fc.constantFrom("12", null, true, [], {}, "NaN", "1e3", "a:b");
const value = fc.oneof({ weight: 8, arbitrary: number }, { weight: 1, arbitrary: odd });

/** Fields of an object, out of those of its message mostly: some of them twice. */
export const object = (names: readonly string[], others: readonly string[]) =>
  fc.array(
    fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.constantFrom(...others) }), value),
    {
      maxLength: 5,
    },
  );

/** An object as JSON, with its fields as they come. Texts that begin as objects do are put in as they are. */
export const written = (fields: (readonly [string, unknown])[], space: string) =>
  `{${fields.map(([name, content]) => `${JSON.stringify(name)}${space}:${typeof content === "string" && content.startsWith("{") ? content : JSON.stringify(content)}`).join(",")}}`;
