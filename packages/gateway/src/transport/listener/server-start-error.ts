/** Why a server could not be started: one of the system's codes, or that its certificate or key is wrong. */
export type ServerStartCode = "EADDRINUSE" | "EADDRNOTAVAIL" | "EACCES" | "ENOTFOUND" | "TLS" | "OTHER";

/** A server that could not be started. The message is one sentence for the person at the terminal, with the way out. */
export class ServerStartError extends Error {
  override readonly name = "ServerStartError";
  readonly code: ServerStartCode;

  constructor(code: ServerStartCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Turns the system's error about listening into one that says what to do. */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number): ServerStartError {
  const at = `${host}:${port}`;
  switch (cause.code) {
    case "EADDRINUSE":
      return new ServerStartError("EADDRINUSE", `${at} is in use by another program: stop it, or choose another port with --port.`, {
        cause,
      });
    case "EADDRNOTAVAIL":
      return new ServerStartError("EADDRNOTAVAIL", `${host} is no address of this machine: choose another with --host.`, { cause });
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ServerStartError("ENOTFOUND", `${host} is no known host name: choose another with --host.`, { cause });
    case "EACCES":
      return new ServerStartError("EACCES", `${at} may not be used by this user: choose a port above 1023 with --port.`, { cause });
    default:
      return new ServerStartError("OTHER", `${at} cannot be listened on: ${cause.message}.`, { cause });
  }
}
