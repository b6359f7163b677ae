import { Code, type ConnectError } from "@connectrpc/connect";
import { type FieldViolation, PetakError } from "@petak/protocol";

/** What is known of the call whose error is translated. */
export interface AdapterErrorContext {
  /** The longest request message, in bytes. */
  readMaxBytes: number;
  /** The call's deadline, in ms, if it has one. */
  timeoutMs?: number | undefined;
}

/**
 * Translates an error that the RPC library raised itself, outside any code of the gateway, into one with a reason from the catalogue. Such an
 * error has no details, and often the code `internal` although the caller's bytes are at fault.
 */
export function fromAdapterError(error: ConnectError, { readMaxBytes, timeoutMs }: AdapterErrorContext): PetakError {
  const said = error.rawMessage;
  // Raised while the answer is written, so the caller's message was valid.
  if (/^serialize |^cannot encode |configured writeMaxBytes/.test(said)) {
    return new PetakError("INTERNAL", "The response could not be encoded.", { cause: error });
  }
  switch (error.code) {
    case Code.DeadlineExceeded:
      return deadlineExceeded(timeoutMs, error);
    case Code.Canceled:
    case Code.Aborted:
      return new PetakError("CANCELED", "The caller cancelled the call before the response was ready.", { cause: error });
    case Code.ResourceExhausted:
      return messageTooLarge(readMaxBytes, error);
    case Code.Unimplemented: {
      if (said.startsWith("protocol error:")) return malformedMessage(said, error);
      const compression = /^unknown compression "(.*)": supported encodings are (.*)$/s.exec(said);
      if (compression === null) {
        return new PetakError("METHOD_NOT_FOUND", `${sentence(said)} The page /reference lists what is served.`, { cause: error });
      }
      const [, encoding = "", supported = ""] = compression;
      return new PetakError("ENCODING_NOT_SUPPORTED", `The compression ${encoding} is not supported. Use ${supported}, or none.`, {
        metadata: { encoding, supported },
        cause: error,
      });
    }
    default:
      return malformedMessage(said, error);
  }
}

/** Returns MESSAGE_TOO_LARGE, with the limit in its metadata. */
export function messageTooLarge(limitBytes: number, cause?: unknown): PetakError {
  return new PetakError(
    "MESSAGE_TOO_LARGE",
    `The message is longer than ${limitBytes} bytes, the gateway's limit. Send a smaller message.`,
    {
      metadata: { limit_bytes: String(limitBytes) },
      cause,
    },
  );
}

/** Returns MESSAGE_TOO_LARGE for a message that is not too long, but would take too long to parse. */
export function denseMessage(): PetakError {
  return new PetakError("MESSAGE_TOO_LARGE", "The message has too many objects or values. Send a smaller message.");
}

/** Returns DEADLINE_EXCEEDED, with the call's deadline in its metadata. */
export function deadlineExceeded(timeoutMs: number | undefined, cause?: unknown): PetakError {
  const within = timeoutMs === undefined ? "" : ` of ${timeoutMs} ms`;
  return new PetakError("DEADLINE_EXCEEDED", `The deadline${within} passed before the response was ready. Send the same request again.`, {
    ...(timeoutMs === undefined ? {} : { metadata: { timeout_ms: String(timeoutMs) } }),
    cause,
  });
}

/** Returns MALFORMED_MESSAGE. `said` is the parser's message; the field that it names goes into the details. */
export function malformedMessage(said: string, cause?: unknown): PetakError {
  const unreadable = said === "" || said === "internal error";
  const message = unreadable
    ? "The body is not a valid message of the method's request type."
    : sentence(said.replace(/^(protocol error|parse binary): /, ""));
  return new PetakError("MALFORMED_MESSAGE", message, { fieldViolations: fieldNamedIn(said), cause });
}

/** The parser names a field by its message type, not by its path, so a nested field is reported without the fields that lead to it. */
function fieldNamedIn(said: string): FieldViolation[] {
  const unknown = /^cannot decode message (\S+) from JSON: key "(.*)" is unknown$/s.exec(said);
  if (unknown !== null) {
    const [, type = "", key = ""] = unknown;
    return [{ field: key, description: `${type} has no field of that name`, rule: "json.known_field" }];
  }
  // For an invalid enum value the parser names the enum, not the field.
  const wrong = /^cannot decode (?:field|oneof) (\S+) from JSON: (.*)$/s.exec(said);
  if (wrong === null) return [];
  const [, path = "", description = ""] = wrong;
  return [{ field: path.slice(path.lastIndexOf(".") + 1), description, rule: "json.type" }];
}

function sentence(text: string): string {
  const [first = ""] = text;
  return `${first.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
