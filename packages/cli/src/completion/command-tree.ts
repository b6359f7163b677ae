import type { Command } from "commander";
import type { LazyCommand } from "../command.ts";
import { createProgram, petak } from "../run.ts";
import type { CliIo } from "../session.ts";
import { type IdKind, kindsIn } from "./id-kinds.ts";

/** A command as it is typed, with what may follow it. */
export interface CommandNode {
  readonly name: string;
  readonly description: string;
  /** Its own options and those of the commands above it, which it takes too; also those of the subcommand that is meant if none is named. */
  readonly options: readonly OptionNode[];
  /** What it takes in place of further commands, in their order; also what the subcommand takes that is meant if none is named. */
  readonly arguments: readonly ArgumentNode[];
  readonly commands: readonly CommandNode[];
}

export interface OptionNode {
  /** `--json`. */
  readonly name: string;
  readonly description: string;
  /** Whether a value follows it. */
  readonly takesValue: boolean;
  /** The kinds of ids that the value may be. */
  readonly ids: readonly IdKind[];
}

export interface ArgumentNode {
  /** The kinds of ids that it may be. */
  readonly ids: readonly IdKind[];
  /** Whether there may be several. */
  readonly isVariadic: boolean;
}

/** The tree of all commands of `petak`. It loads each of them, which takes a second. */
export async function commandTree(io: CliIo, commands: readonly LazyCommand[]): Promise<CommandNode> {
  const program = createProgram(io, petak);
  for (const { name, description, load } of commands) {
    const command = program.command(name).description(description);
    const register = await load();
    register(command, {
      io,
      commands,
      session() {
        throw new Error("no command runs while the tree is made");
      },
    });
  }
  return nodeOf(program, []);
}

function nodeOf(command: Command, inherited: readonly OptionNode[]): CommandNode {
  const own = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, flags, description, required, optional }) => ({
      name: long ?? flags,
      description,
      takesValue: required || optional,
      ids: required ? kindsIn(description) : [],
    }));
  const options = [...own, ...inherited];
  const commands = command.commands.map((one) => nodeOf(one, options));
  const meant = commands.find(({ name }) => name === defaultName(command));
  const taken = command.registeredArguments.map(({ description, variadic }) => ({ ids: kindsIn(description), isVariadic: variadic }));
  return {
    name: command.name(),
    description: command.description(),
    options: meant?.options ?? options,
    arguments: meant?.arguments ?? taken,
    commands,
  };
}

/** The subcommand that is meant if none is named, as in `petak events --follow`. Commander tells it to nobody; its version is pinned, and a test looks. */
function defaultName(command: Command): string | null | undefined {
  return (command as Command & { _defaultCommandName?: string | null })._defaultCommandName;
}
