import { InvalidArgumentError } from "commander";

/** The words of the command line for the values of an enum of the protocol: `HOLD_AT_DEPOT` is `hold-at-depot`. */
export interface Words<Value extends number> {
  /** All words, without that of the value 0. */
  readonly all: readonly string[];
  /** The word for a value. A value of a newer gateway has its number. */
  of(value: number): string;
  /** Parses one word. */
  parse(text: string): Value;
  /** Parses words with commas between them. @param earlier values of the same option before */
  collect(text: string, earlier?: Value[]): Value[];
}

/** Makes the words for an enum. */
export function wordsOf<Value extends number>(values: Readonly<Record<string, Value | string>>): Words<Value> {
  const pairs = Object.entries(values)
    .filter((pair): pair is [string, Value] => typeof pair[1] === "number" && pair[1] !== 0)
    .map(([name, value]) => [name.toLowerCase().replaceAll("_", "-"), value] as const);
  const all = pairs.map(([word]) => word);
  const parse = (text: string): Value => {
    const [, value] = pairs.find(([word]) => word === text.trim().toLowerCase()) ?? [];
    if (value === undefined) throw new InvalidArgumentError(`write one of ${all.join(", ")}.`);
    return value;
  };
  return {
    all,
    of: (value) => pairs.find(([, one]) => one === value)?.[0] ?? String(value),
    parse,
    collect: (text, earlier = []) => [...new Set([...earlier, ...text.split(",").map(parse)])],
  };
}
