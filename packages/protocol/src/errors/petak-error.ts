import type { Reason } from "./catalogue.ts";

/** One wrong field of a request. */
export interface FieldViolation {
  /** Path of the field, e.g. `sites[3].position.latitude`. */
  field: string;
  /** What is wrong with it, with the value and the limit. */
  description: string;
  /** The rule that it breaks, e.g. `double.lte`. */
  rule: string;
}

/** What goes with an error beside its reason and message. */
export interface PetakErrorOptions {
  /** Facts for machines: the value refused, the limit. Never anything secret: it goes to the caller. */
  metadata?: Record<string, string>;
  /** The wrong fields, for INVALID_FIELD. */
  fieldViolations?: FieldViolation[];
  /** When the same request may come again, in ms. */
  retryAfterMs?: number;
  /** What caused it. It is logged and never sent. */
  cause?: unknown;
}

/** The one error of the domain: a reason of the catalogue, and a message that says the value, the limit and what to do. */
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

/** An INVALID_FIELD error about one field. */
export function invalidField(field: string, description: string, rule: string): PetakError {
  return new PetakError("INVALID_FIELD", `${field}: ${description}`, {
    fieldViolations: [{ field, description, rule }],
  });
}
