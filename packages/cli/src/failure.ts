import { Code, ConnectError } from "@connectrpc/connect";
import { errorCodeOf, tlsProblemOf } from "@petak/client/node";
import { type FieldViolation, fromConnectError, PetakError } from "@petak/protocol";
import { ExitCode } from "./exit-code.ts";
import { tlsAdvice } from "./tls-advice.ts";

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
  const problem = tlsProblemOf(error);
  if (problem?.kind === "file") return usageFailure(`${tlsAdvice(problem, "")}.`);
  if (problem !== undefined && problem.kind !== "closed") return unreachable(`${tlsAdvice(problem, `The gateway at ${url}`)}.`, error);
  const systemCode = errorCodeOf(error, /^E[A-Z_]+$/);
  if (systemCode === "ECONNREFUSED" || (systemCode === undefined && error.code === Code.Unavailable)) {
    return unreachable(`No gateway answers at ${url}. Start one with \`npm start\`, or check --url and PETAK_URL.`, error);
  }
  if (systemCode === "ENOTFOUND" || systemCode === "EAI_AGAIN") {
    return unreachable(`No gateway answers at ${url}: the host name cannot be resolved. Check --url.`, error);
  }
  if (problem !== undefined) {
    const cap = "it may have as many from this address as it takes (its setting maxConnectionsPerAddress). Close some, or try again";
    const tls = url.startsWith("http:")
      ? "If it speaks TLS, write https://"
      : "If it wants a certificate of its clients, give one of its authorities by --tls-client-cert and --tls-client-key";
    return unreachable(`The gateway at ${url} closed the connection (${problem.detail}): ${cap}. ${tls}.`, error);
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
