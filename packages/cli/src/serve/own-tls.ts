import { X509Certificate } from "node:crypto";
import type { TlsOptions } from "@petak/client/node";

/**
 * TLS settings by which this process calls its own gateway: exactly the certificate that it shows now is trusted, whoever issued it and for whatever name. What it
 * calls is its own port, and the certificate's root need not be known here.
 *
 * @param chain the gateway's chain in PEM, asked for at each connection; undefined without TLS
 */
export function ownTls(chain: () => string | undefined): (() => TlsOptions) | undefined {
  if (chain() === undefined) return undefined;
  return () => {
    // Without its issuers, each of which would vouch for others too.
    const ca = new X509Certificate(chain() ?? "").toString();
    return { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  };
}
