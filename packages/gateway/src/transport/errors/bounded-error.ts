import { PetakError } from "@petak/protocol";

/**
 * Bounds of what an error may say. The details travel in a gRPC trailer, base64-encoded, next to the message, and clients built on
 * gRPC core refuse metadata above 8 KiB by default, which would hide the error altogether.
 */
const maxMessageChars = 400;
const maxValueChars = 200;
const maxMetadataEntries = 10;
const maxViolationChars = 2000;

/**
 * The same error, short enough for every protocol and in well-formed Unicode: an error repeats values that a caller chose, and a lone
 * surrogate in one cannot be percent-encoded into a gRPC status message.
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

/** Whether an error is short already, as nearly all are: there is no need to make another. */
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
