/** Exit codes of commands. */
export const ExitCode = {
  /** Done. */
  ok: 0,
  /** The operation failed, e.g. the gateway refused it or a file cannot be used. */
  failed: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** No gateway answers at the address. */
  unreachable: 3,
  /** What is there is valid, but completeness cannot be shown. */
  notShown: 4,
  /** The agent of a device ends by a command, to be started again. */
  startAgain: 75,
} as const;

/** A value of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
