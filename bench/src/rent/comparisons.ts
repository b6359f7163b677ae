import type { SpecialPath } from "./special-paths.ts";

/** Which special paths a gateway has, by name. */
export type Present = ReadonlySet<string>;

/** Two gateways that differ in one special path. */
export interface Comparison {
  path: string;
  /** Whether there is nothing beside it but what it needs, or everything. */
  beside: "nothing" | "everything";
  without: Present;
  with: Present;
}

/** For each path, what it saves alone and beside all others. What it needs is there in either case, what needs it in neither where it is not. */
export function comparisonsOf(paths: readonly SpecialPath[]): Comparison[] {
  const all = new Set(paths.map(({ name }) => name));
  return paths.flatMap(({ name, needs }): Comparison[] => {
    const base = new Set(needs);
    const dependents = paths.filter((path) => path.needs.includes(name)).map((path) => path.name);
    const rest = new Set([...all].filter((each) => each !== name && !dependents.includes(each)));
    return [
      { path: name, beside: "nothing", without: base, with: new Set([...base, name]) },
      { path: name, beside: "everything", without: rest, with: all },
    ];
  });
}
