/** Why a server could not be started: a code of the operating system, or `TLS` for a wrong certificate or key. */
export type ServerStartCode = "EADDRINUSE" | "EADDRNOTAVAIL" | "EACCES" | "ENOTFOUND" | "TLS" | "OTHER";

/** A server could not be started. The message is one sentence for the person at the terminal and says what to do. */
export class ServerStartError extends Error {
  override readonly name = "ServerStartError";
  readonly code: ServerStartCode;

  constructor(code: ServerStartCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Converts the operating system's error into one that says what to do.
 *
 * @param flag the flag that sets host and port, if there is one for both
 */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number, flag?: string): ServerStartError {
  const [hostFlag, portFlag] = [flag ?? "--host", flag ?? "--port"];
  const at = `${host}:${port}`;
  switch (cause.code) {
    case "EADDRINUSE":
      return new ServerStartError("EADDRINUSE", `${at} is in use by another program: stop it, or choose another port with ${portFlag}.`, {
        cause,
      });
    case "EADDRNOTAVAIL":
      return new ServerStartError("EADDRNOTAVAIL", `${host} is no address of this machine: choose another with ${hostFlag}.`, { cause });
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ServerStartError("ENOTFOUND", `${host} is no known host name: choose another with ${hostFlag}.`, { cause });
    case "EACCES":
      return new ServerStartError("EACCES", `${at} may not be used by this user: choose a port above 1023 with ${portFlag}.`, { cause });
    default:
      return new ServerStartError("OTHER", `${at} cannot be listened on: ${cause.message}.`, { cause });
  }
}
