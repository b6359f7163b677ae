import type { TlsProblem } from "@petak/client/node";

/** What certificates have to do with a failed call, and what to do. @param gateway what it is called, e.g. `the gateway` */
export function tlsAdvice({ kind, detail }: TlsProblem, gateway: string): string {
  switch (kind) {
    case "file":
      return `${detail}; check --tls-ca, --tls-client-cert and --tls-client-key`;
    case "gateway-certificate":
      return `${gateway} has a TLS certificate that is not accepted (${detail}); if its authority is your own, name the authority's file in --tls-ca (PETAK_TLS_CA)`;
    case "client-certificate":
      return `${gateway} wants a certificate of its clients, and got none that it accepts (${detail}); give --tls-client-cert and --tls-client-key (PETAK_TLS_CLIENT_CERT, PETAK_TLS_CLIENT_KEY)`;
    case "closed":
      return `${gateway} closed the connection (${detail}); if it wants a certificate of its clients, give one of its authorities by --tls-client-cert and --tls-client-key`;
  }
}
