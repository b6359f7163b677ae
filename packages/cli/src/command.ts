import type { Command } from "commander";
import type { CliIo, Session } from "./session.ts";

/** What a command module gets to work with. */
export interface CommandContext {
  readonly io: CliIo;
  /** The session of a run, from the command's options and those before it. Closed when the run ends. */
  session(command: Command): Session;
}

/**
 * Adds a command, or a group of them, to the program.
 *
 * Its action throws a CliFailure, or lets the client's errors through; the program says what went wrong and ends with the exit code.
 */
export type CommandModule = (program: Command, context: CommandContext) => void;
