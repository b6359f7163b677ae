/** The reasons of problems that arise in the page; those of the gateway's errors stand in `docs/errors.md`. */
export type OwnReason =
  | "ADDRESS_FAILED"
  | "ADDRESS_NOT_FOUND"
  | "ATTRIBUTE_INVALID"
  | "ATTRIBUTE_MISSING"
  | "CHOICE_UNSIGNED"
  | "GATEWAY_ANSWER_INVALID"
  | "GATEWAY_SLOW"
  | "GATEWAY_UNREACHABLE"
  | "HOLD_FAILED"
  | "LANGUAGE_UNAVAILABLE"
  | "LANGUAGE_UNKNOWN"
  | "LOCATION_UNAVAILABLE"
  | "OPEN_AT_IGNORED"
  | "PASSED_OVER_UNNAMED"
  | "PLACE_GONE"
  | "SITE_NOT_OFFERED";

/** What went wrong, for the shop. The shopper reads a sentence in their language in the picker. */
export interface Problem {
  /** One of {@link OwnReason}, or the reason of the gateway's error, e.g. `ORIGIN_NOT_ALLOWED`. */
  readonly reason: OwnReason | (string & {});
  /** For the shop's developers, in English. */
  readonly message: string;
  /** Whether the same may succeed later. */
  readonly isPassing: boolean;
  /** When the gateway takes the next call, in ms from now. */
  readonly retryAfterMs?: number;
}

/** A problem that is thrown. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }
}

/** The problem of whatever was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return { reason: "GATEWAY_ANSWER_INVALID", message: String(error), isPassing: false };
}
