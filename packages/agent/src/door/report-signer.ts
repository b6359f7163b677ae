import { createPrivateKey, hash, sign } from "node:crypto";
import { type Ed25519PrivateJwk, reportClaims, reportHashInput, reportText } from "@petak/credential";
import type { ReportSigner } from "../store/outbox.ts";

/** The agent's registered key. */
export interface ReportKey {
  keyId: string;
  privateJwk: Ed25519PrivateJwk;
}

/** Makes the signer of a site's reports. It is synchronous, since a report is stored with its signature in the transaction of the change it reports. */
export function createReportSigner(siteId: string, { keyId, privateJwk }: ReportKey): ReportSigner {
  const { kty, crv, x, d } = privateJwk;
  const key = createPrivateKey({ key: { kty, crv, x, d }, format: "jwk" });
  return {
    sign: (event) => new Uint8Array(sign(null, Buffer.from(reportText(keyId, reportClaims(siteId, event))), key)),
    hash: (event) => new Uint8Array(hash("sha256", reportHashInput(reportText(keyId, reportClaims(siteId, event))), "buffer")),
  };
}
