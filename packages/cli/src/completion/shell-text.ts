import type { CommandNode } from "./command-tree.ts";

/** A word in single quotes, as bash and zsh read it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** All commands with what is typed before what may follow them: `petak sites list`. */
export function* walk(node: CommandNode, before = ""): Generator<{ path: string; node: CommandNode }, void, undefined> {
  const path = `${before}${node.name}`;
  yield { path, node };
  for (const one of node.commands) yield* walk(one, `${path} `);
}
