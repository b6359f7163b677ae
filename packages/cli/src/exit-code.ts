/** How a command ends, for scripts. */
export const ExitCode = {
  /** Done. */
  ok: 0,
  /** The operation failed: the gateway refused it, a file cannot be used. */
  failed: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** No gateway answers at the address. */
  unreachable: 3,
  /** Nothing is wrong with what is there, and whether something is missing cannot be told. */
  notShown: 4,
} as const;

/** A value of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
