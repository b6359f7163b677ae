import {
  createTrustBundle,
  decodeBase64url,
  encodeBase64url,
  generateIssuerKey,
  generateKeyPair,
  holderKeyHash,
  judgeAccessToken,
  judgePresence,
  mintAccessToken,
  provePresence,
  readPresence,
} from "@petak/credential";
import { Act } from "@petak/protocol";

/** The claims of a token, and the challenge that its holder signs. */
export interface TokenOrder {
  siteId: string;
  reservationId: string;
  notBeforeMs: number;
  expiresAtMs: number;
  challenge: string;
}

/** A token, its issuer's public key and its holder's presence proof, in JSON-compatible form. */
export interface MintedToken {
  token: string;
  issuerKeyId: string;
  issuerPublicKey: string;
  presence: string;
}

/** Mints a token to recall a parcel with a new issuer key for a new holder, and makes the holder's presence proof. */
export async function mintBoundToken({ challenge, ...claims }: TokenOrder): Promise<MintedToken> {
  const [issuerKey, holder] = await Promise.all([generateIssuerKey(), generateKeyPair()]);
  const token = await mintAccessToken({ act: Act.RECALL, ...claims, holderKeyHash: await holderKeyHash(holder.publicKey), issuerKey });
  return {
    token,
    issuerKeyId: issuerKey.keyId,
    issuerPublicKey: encodeBase64url(issuerKey.publicKey),
    presence: await provePresence({ token, challenge, privateJwk: holder.privateJwk }),
  };
}

/** The reservation for which a token and its presence proof open a door of the site now, or the reason of the refusal. */
export async function judgeBoundToken(minted: MintedToken, siteId: string, nowMs: number): Promise<string> {
  const publicKey = decodeBase64url(minted.issuerPublicKey) ?? new Uint8Array();
  const keys = [{ keyId: minted.issuerKeyId, publicKey }];
  const trustBundle = createTrustBundle({ version: 1n, keys, issuedAtMs: nowMs, notAfterMs: nowMs + 3_600_000 });
  const judgement = await judgeAccessToken({ token: minted.token, trustBundle, siteId, nowMs });
  if (!judgement.ok) return judgement.refusal;
  const presence = readPresence(minted.presence);
  if (presence === undefined) return "no proof of presence";
  const { tokenId, holderKeyHash: boundTo = "", reservationId } = judgement.claims;
  return (await judgePresence(presence, { holderKeyHash: boundTo, siteId, tokenId, compartmentId: "" })) ?? reservationId;
}
