import type { CommandNode } from "./command-tree.ts";

/** A word in single quotes, as bash and zsh read it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The kinds of ids of each argument: `res,bdl`, `site...` if there may be several, `-` if it is no id. None if no argument is one. */
export function argumentKinds({ arguments: taken }: CommandNode): string[] {
  if (taken.every(({ ids }) => ids.length === 0)) return [];
  return taken.map(({ ids, isVariadic }) => `${ids.join(",") || "-"}${isVariadic ? "..." : ""}`);
}

/** The kinds of ids of each option that takes one: `--site=site`. */
export function optionKinds({ options }: CommandNode): string[] {
  return options.filter(({ ids }) => ids.length > 0).map(({ name, ids }) => `${name}=${ids.join(",")}`);
}

/** All commands with what is typed before what may follow them: `petak sites list`. */
export function* walk(node: CommandNode, before = ""): Generator<{ path: string; node: CommandNode }, void, undefined> {
  const path = `${before}${node.name}`;
  yield { path, node };
  for (const one of node.commands) yield* walk(one, `${path} `);
}
