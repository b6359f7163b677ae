import { TlsFileError } from "./tls-from-files.ts";

/** Why a call has not reached its gateway, where certificates are the reason or may be. */
export interface TlsProblem {
  /**
   * `file`: a TLS file of the client cannot be used. `gateway-certificate`: the client does not accept the gateway's certificate. `client-certificate`: the gateway
   * wants a certificate of its clients and did not get one that it accepts. `closed`: the gateway closed the connection, which may be for that reason too.
   */
  readonly kind: "file" | "gateway-certificate" | "client-certificate" | "closed";
  /** The code of TLS or of the system; of a file, what is wrong with it. */
  readonly detail: string;
}

/** Codes of TLS certificates that Node does not accept: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
const gatewayCertificateCodes =
  /^(?:(?:ERR_TLS_)?CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH)/;

/** Codes of alerts by which a server refuses a client's certificate, or that there is none. In TLS 1.2 the latter is a handshake that fails. */
const clientCertificateCodes = /^ERR_SSL_\w+_ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/;

/** Says what certificates have to do with a failed call. Undefined: nothing. */
export function tlsProblemOf(error: unknown): TlsProblem | undefined {
  for (let current = error; current instanceof Error; current = current.cause)
    if (current instanceof TlsFileError) return { kind: "file", detail: current.message };
  const gateway = errorCodeOf(error, gatewayCertificateCodes);
  if (gateway !== undefined) return { kind: "gateway-certificate", detail: gateway };
  const client = errorCodeOf(error, clientCertificateCodes);
  if (client !== undefined) return { kind: "client-certificate", detail: client };
  const closed = errorCodeOf(error, /^(?:ECONNRESET|EPIPE)$/);
  return closed === undefined ? undefined : { kind: "closed", detail: closed };
}

/** The `code` of the system error that caused a failed call, of some kind, e.g. `ECONNREFUSED`. */
export function errorCodeOf(error: unknown, kind: RegExp): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, errors } = current as { code?: unknown; errors?: unknown };
    if (typeof code === "string" && kind.test(code)) return code;
    // A host name with several addresses fails with one error for each.
    if (Array.isArray(errors)) {
      const inner = errors.map((one) => errorCodeOf(one, kind)).find((one) => one !== undefined);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}
