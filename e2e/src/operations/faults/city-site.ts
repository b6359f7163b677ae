import type { RequestSigner } from "@petak/client/node";

/** A site whose agent sends its reports one after another. */
export interface CitySite {
  siteId: string;
  signer: RequestSigner;
  sequence: bigint;
  reporting: Promise<void>;
}
