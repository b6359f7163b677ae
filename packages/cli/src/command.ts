import type { Command } from "commander";
import type { CliIo, Session } from "./session.ts";

export interface CommandContext {
  readonly io: CliIo;
  /** All commands of the running program. */
  readonly commands: readonly LazyCommand[];
  /** The session of a run, from the options of the running command and its parents. Closed when the run ends. */
  session(running: Command): Session;
}

/**
 * Adds arguments, options and action, or subcommands, to a command.
 *
 * The action throws a CliFailure or a client's error; the program prints it and sets the exit code.
 */
export type CommandModule = (command: Command, context: CommandContext) => void;

/** A command in the help. Its module is loaded when it is called, since loading gateway and client takes most of a second. */
export interface LazyCommand {
  readonly name: string;
  readonly description: string;
  /** Whether it takes no session, so that the client is not loaded for it. */
  readonly isLocal?: true;
  load(): Promise<CommandModule>;
}
