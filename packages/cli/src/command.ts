import type { Command } from "commander";
import type { CliIo, Session } from "./session.ts";

/** What a command module gets to work with. */
export interface CommandContext {
  readonly io: CliIo;
  /** The session of a run, from the options of the command that runs and those before it. Closed when the run ends. */
  session(running: Command): Session;
}

/**
 * Gives a command its arguments, options and action, or its subcommands.
 *
 * Its action throws a CliFailure, or lets the client's errors through; the program says what went wrong and ends with the exit code.
 */
export type CommandModule = (command: Command, context: CommandContext) => void;

/** A command as the help lists it. What it needs to run is loaded when it is called: the gateway and the client take most of a second. */
export interface LazyCommand {
  readonly name: string;
  readonly description: string;
  load(): Promise<CommandModule>;
}
