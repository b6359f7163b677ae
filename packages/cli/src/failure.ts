import { Code, ConnectError } from "@connectrpc/connect";
import { type FieldViolation, fromConnectError, PetakError } from "@petak/protocol";
import { ExitCode } from "./exit-code.ts";

/** Details of a failure besides its message. */
export interface CliFailureOptions {
  /** Default 1: the operation failed. */
  exitCode?: ExitCode;
  /** Constant for machines: a reason of the protocol's catalogue, or the command's own in kebab-case. Default `failed`. */
  reason?: string;
  metadata?: Record<string, string>;
  fieldViolations?: readonly FieldViolation[];
  /** Partial result for machines, printed beside the error. */
  result?: Record<string, unknown>;
  cause?: unknown;
}

/** Failure of a command: a sentence for people, a reason for machines, an exit code for scripts. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;
  readonly reason: string;
  readonly metadata: Record<string, string>;
  readonly fieldViolations: readonly FieldViolation[];
  readonly result: Record<string, unknown>;

  constructor(message: string, options: CliFailureOptions = {}) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode ?? ExitCode.failed;
    this.reason = options.reason ?? "failed";
    this.metadata = options.metadata ?? {};
    this.fieldViolations = options.fieldViolations ?? [];
    this.result = options.result ?? {};
  }
}

/** A usage error. */
export function usageFailure(message: string): CliFailure {
  return new CliFailure(message, { exitCode: ExitCode.usage, reason: "usage" });
}

/** A message that begins with a small letter and has no full stop, as a sentence. */
export function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/**
 * Converts any thrown value to a failure.
 *
 * @param url the gateway's address, for messages
 */
export function toFailure(error: unknown, url: string): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof PetakError) return fromPetakError(error, url);
  if (error instanceof ConnectError) {
    const known = fromConnectError(error);
    return known === undefined ? fromTransportError(error, url) : fromPetakError(known, url);
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliFailure(message, { cause: error });
}

function fromPetakError({ reason, message, metadata, fieldViolations, cause }: PetakError, url: string): CliFailure {
  const hasPath = URL.canParse(url) && new URL(url).pathname !== "/";
  const hint = reason === "METHOD_NOT_FOUND" && hasPath ? ` The address ${url} has a path; most gateways have none: check --url.` : "";
  return new CliFailure(`${message}${hint}`, { reason, metadata, fieldViolations, cause });
}

/** Converts transport errors, which have no reason of the catalogue. */
function fromTransportError(error: ConnectError, url: string): CliFailure {
  if (error.code === Code.DeadlineExceeded) {
    return new CliFailure(`The gateway at ${url} did not answer in time.`, { reason: "timeout", cause: error });
  }
  if (error.code === Code.Canceled) return new CliFailure("The call was canceled.", { reason: "canceled", cause: error });
  const certificate = codeOf(error, certificateCodes);
  if (certificate !== undefined) {
    const own = "If its authority is your own, name the authority's file in NODE_EXTRA_CA_CERTS";
    return unreachable(`The TLS certificate of ${url} is not accepted (${certificate}). ${own}.`, error);
  }
  const systemCode = codeOf(error, /^E[A-Z_]+$/);
  if (systemCode === "ECONNREFUSED" || (systemCode === undefined && error.code === Code.Unavailable)) {
    return unreachable(`No gateway answers at ${url}. Start one with \`npm start\`, or check --url and PETAK_URL.`, error);
  }
  if (systemCode === "ENOTFOUND" || systemCode === "EAI_AGAIN") {
    return unreachable(`No gateway answers at ${url}: the host name cannot be resolved. Check --url.`, error);
  }
  if (systemCode === "ECONNRESET" || systemCode === "EPIPE") {
    const cap = "it may have as many from this address as it takes (its setting maxConnectionsPerAddress). Close some, or try again";
    const tls = url.startsWith("http:") ? ". If it speaks TLS, write https://" : "";
    return unreachable(`The gateway at ${url} closed the connection (${systemCode}): ${cap}${tls}.`, error);
  }
  if (systemCode === "EPROTO" && url.startsWith("https:")) {
    return unreachable(`What answers at ${url} does not speak TLS (EPROTO). Write http://, or check the port.`, error);
  }
  if (systemCode !== undefined) return unreachable(`No gateway answers at ${url} (${systemCode}). Check --url.`, error);
  return new CliFailure(`The server at ${url} is not a Petak gateway (${error.rawMessage}). Check --url.`, {
    exitCode: ExitCode.unreachable,
    reason: "no-gateway",
    cause: error,
  });
}

function unreachable(message: string, cause: unknown): CliFailure {
  return new CliFailure(message, { exitCode: ExitCode.unreachable, reason: "unreachable", cause });
}

/** Codes of TLS certificates that Node does not accept: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
const certificateCodes =
  /^(?:(?:ERR_TLS_)?CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH)/;

/** The `code` of the system error that caused a failed call, of some kind, e.g. `ECONNREFUSED`. */
function codeOf(error: unknown, kind: RegExp): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, errors } = current as { code?: unknown; errors?: unknown };
    if (typeof code === "string" && kind.test(code)) return code;
    // A host name with several addresses fails with one error for each.
    if (Array.isArray(errors)) {
      const inner = errors.map((one) => codeOf(one, kind)).find((one) => one !== undefined);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}
