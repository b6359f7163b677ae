import type { ClientSessionOptions, SecureClientSessionOptions } from "node:http2";
import { Agent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect } from "node:tls";

/** TLS settings of a client. `ca` replaces the system's authorities; `cert` and `key` are shown to a gateway that wants its clients' certificates. */
export interface TlsOptions extends Pick<ConnectionOptions, "ca" | "cert" | "key" | "allowPartialTrustChain" | "checkServerIdentity"> {
  /** The name that the gateway's certificate must have. Default: the host of the address. */
  servername?: string;
}

/** TLS settings, or a function that gives them for each new connection: renewed files are then used without a restart. */
export type ClientTls = TlsOptions | (() => TlsOptions);

/** Connections over HTTP/1.1. */
export function httpsAgent(tls: ClientTls | undefined): Agent {
  return typeof tls === "function" ? new RenewingAgent(tls) : new Agent({ keepAlive: true, ...tls });
}

/** Options of sessions over HTTP/2. */
export function http2SessionOptions(tls: ClientTls | undefined): ClientSessionOptions | SecureClientSessionOptions | undefined {
  if (typeof tls !== "function") return tls;
  return {
    createConnection({ protocol, hostname, port }) {
      if (protocol !== "https:") throw new TypeError(`TLS settings are for an https:// address, not ${protocol}//${hostname}`);
      const host = hostname.replace(/^\[|\]$/g, "");
      return connect({ host, port: Number(port || 443), servername: isIP(host) === 0 ? host : "", ALPNProtocols: ["h2"], ...tls() });
    },
  };
}

/** Asks for the settings of each connection. */
class RenewingAgent extends Agent {
  readonly #tls: () => TlsOptions;

  constructor(tls: () => TlsOptions) {
    // A session that is resumed has the certificate of the one before.
    super({ keepAlive: true, maxCachedSessions: 0 });
    this.#tls = tls;
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined {
    let settings: TlsOptions;
    try {
      settings = this.#tls();
    } catch (error) {
      callback?.(error as Error, undefined as unknown as Duplex);
      return undefined;
    }
    return super.createConnection({ ...options, ...settings }, callback);
  }
}
