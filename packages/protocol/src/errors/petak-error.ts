import type { Reason } from "./catalogue.ts";

/** One invalid field of a request. */
export interface FieldViolation {
  /** Path of the field, e.g. `sites[3].position.latitude`. */
  field: string;
  /** What is wrong, with the value and the limit. */
  description: string;
  /** Id of the violated rule, e.g. `double.lte`. */
  rule: string;
}

/** The optional parts of an error. */
export interface PetakErrorOptions {
  /** Facts for machines, such as the refused value and the limit. It is sent to the caller, so it must contain no secrets. */
  metadata?: Record<string, string>;
  /** The invalid fields. */
  fieldViolations?: FieldViolation[];
  /** How long to wait before the same request is sent again, in ms. Sent as RetryInfo. */
  retryAfterMs?: number;
  /** The cause. Logged, never sent. */
  cause?: unknown;
}

/** The error class of the domain: a reason of the catalogue, and a message for people that states the value, the limit and what to do. */
export class PetakError extends Error {
  override readonly name = "PetakError";
  readonly reason: Reason;
  readonly metadata: Record<string, string>;
  readonly fieldViolations: FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, options: PetakErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.metadata = options.metadata ?? {};
    this.fieldViolations = options.fieldViolations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An INVALID_FIELD error about one field. `description` continues the field's path, e.g. `must be later than now`. */
export function invalidField(field: string, description: string, rule: string): PetakError {
  return new PetakError("INVALID_FIELD", `${field}: ${description}`, {
    fieldViolations: [{ field, description, rule }],
  });
}
