import { Act } from "@petak/protocol";
import { accessTokenTypes, delegateTokenType, readClaims } from "../access-token/claims.ts";
import { boundTokenId } from "../access-token/token-id.ts";
import { decodeText, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { credentialHash } from "../bytes/digest.ts";
import { judgePresence, readPresence } from "../presence/presence.ts";

/** What a report says of the bound token with which a door was opened. */
export interface PresentHolder {
  readonly siteId: string;
  readonly reservationId: string;
  readonly act: Act;
  readonly delegated: boolean;
  readonly credentialHash: string;
  /** The door that opened. */
  readonly compartmentId: string;
}

/** The presence of reports: a token's claims as it contains them, and the proof that was shown with it. */
export function holderPresence(token: string, proof: string): string {
  return `${token.split(".")[1]}.${proof}`;
}

/**
 * Whether a report's presence shows that the holder of the key to which the token is bound was at the site: the claims are those of the token with the hash, for this
 * act, site and reservation, and the key that they name signed the site's challenge. It does not show that the site gave the challenge at that time.
 */
export async function verifyHolderPresence(presence: string, holder: PresentHolder): Promise<boolean> {
  const end = presence.indexOf(".");
  const proof = readPresence(presence.slice(end + 1));
  const payload = decodeText(presence.slice(0, Math.max(0, end)));
  const type = holder.delegated ? delegateTokenType : accessTokenTypes.get(holder.act);
  if (proof === undefined || payload === undefined || type === undefined) return false;
  const claims = readClaims(parseCanonicalJson(payload), holder.act, holder.delegated);
  if (claims?.holderKeyHash === undefined || claims.siteId !== holder.siteId) return false;
  const isService = holder.act === Act.SERVICE;
  if (!isService && claims.reservationId !== holder.reservationId) return false;
  const tokenId = await boundTokenId(type, payload);
  if ((await credentialHash(tokenId)) !== holder.credentialHash) return false;
  const { siteId, compartmentId } = holder;
  const facts = { holderKeyHash: claims.holderKeyHash, siteId, tokenId, compartmentId: isService ? compartmentId : "" };
  return (await judgePresence(proof, facts)) === undefined;
}
