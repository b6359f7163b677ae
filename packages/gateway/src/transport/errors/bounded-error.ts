import { PetakError } from "@petak/protocol";

/**
 * Limits of an error's texts. The details are sent base64-encoded in a gRPC trailer, next to the message. Clients built on gRPC core refuse
 * metadata above 8 KiB by default, so a longer error would not be seen at all.
 */
const maxMessageChars = 400;
const maxValueChars = 200;
const maxMetadataEntries = 10;
const maxViolationChars = 2000;

/**
 * Returns the error shortened to the limits and in well-formed Unicode. Errors repeat values that a caller chose, and a lone surrogate cannot
 * be percent-encoded into a gRPC status message.
 */
export function boundedError(error: PetakError): PetakError {
  if (isBounded(error)) return error;
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(error.metadata).slice(0, maxMetadataEntries)) metadata[key] = bounded(value, maxValueChars);
  const fieldViolations = [];
  let roomChars = maxViolationChars;
  for (const violation of error.fieldViolations) {
    const field = bounded(violation.field, maxValueChars);
    const description = bounded(violation.description, maxValueChars);
    roomChars -= field.length + description.length + violation.rule.length;
    if (roomChars < 0) break;
    fieldViolations.push({ field, description, rule: violation.rule });
  }
  return new PetakError(error.reason, bounded(error.message, maxMessageChars), {
    metadata,
    fieldViolations,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    cause: error.cause,
  });
}

/** Returns whether an error is within the limits already, as nearly all are. */
function isBounded({ message, metadata, fieldViolations }: PetakError): boolean {
  const values = Object.values(metadata);
  return (
    fieldViolations.length === 0 &&
    values.length <= maxMetadataEntries &&
    bounded(message, maxMessageChars) === message &&
    values.every((value) => bounded(value, maxValueChars) === value)
  );
}

function bounded(text: string, maxChars: number): string {
  return (text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`).toWellFormed();
}
