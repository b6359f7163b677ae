import { Act, formatBundleId, formatReservationId, parseBundleId, parseReservationId, parseSiteId, type Region } from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";
import { siteAudience, siteOfAudience } from "./site-audience.ts";

/**
 * The `typ` of an access token by act. The act follows from the type alone, so a token to deposit can never be used to collect.
 */
export const accessTokenTypes: ReadonlyMap<Act, string> = new Map<Act, string>([
  [Act.DEPOSIT, "petak-deposit"],
  [Act.COLLECT, "petak-collect"],
  [Act.RECALL, "petak-recall"],
  [Act.SERVICE, "petak-service"],
]);

/** The `typ` of a delegate's token to collect. It differs from the recipient's, so that a delegated token cannot be delegated again. */
export const delegateTokenType = "petak-delegate";

/** Longest access token, in characters: a QR code of version 11 holds 321 at its lowest error correction level. */
export const accessTokenMaxLength = 320;

/** Longest validity of an access token, in ms. Agents keep spent token ids that long, so it bounds their storage. */
export const accessTokenMaxLifetimeMs = 14 * 24 * 3_600_000;

/** A site has at most this many size classes. */
const sizeClassLimit = 8;

/** Greatest `exp`, in s: ten digits (until 2286), which {@link accessTokenMaxLength} allows for. */
const latestSecond = 9_999_999_999;

/** Form of {@link AccessTokenClaims.compartmentId}. */
const compartmentPattern = /^[A-Za-z0-9_-]{1,16}$/;

/** The acts for which a token must be bound to a key. */
const boundActs: ReadonlySet<Act> = new Set([Act.RECALL, Act.SERVICE]);

/** Claims of an access token. */
export interface AccessTokenClaims {
  /** What it permits. */
  readonly act: Act;
  /** The one site where it opens. */
  readonly siteId: string;
  /** The reservation, in the site's region. Empty for a bundle's token and for SERVICE. */
  readonly reservationId: string;
  /** COLLECT only: the bundle, in the site's region. Default none: the token is for a reservation. */
  readonly bundleId?: string;
  /** COLLECT only: true for the token of a delegate of the recipient. Default false. */
  readonly isDelegated?: boolean;
  /** SERVICE only: the one door that it opens. Default none: every door behind which there is no parcel. */
  readonly compartmentId?: string;
  /**
   * The {@link holderKeyHash} of the holder's key, for which a presence proof is required. Default none: anybody who has the token can use it. Required for
   * RECALL and SERVICE; never set in a bundle's token.
   */
  readonly holderKeyHash?: string;
  /** 128 bits in base64url. Spent when a door opens with it. */
  readonly tokenId: string;
  /** Start of its validity, in ms; a whole second. */
  readonly notBeforeMs: number;
  /** End of its validity, in ms; a whole second. */
  readonly expiresAtMs: number;
  /** Index of the size class in the site's own order. Range: [0, 7]. 0 for a bundle's token and for SERVICE, which do not carry it. */
  readonly sizeClassIndex: number;
}

/**
 * Claims of a token to mint. Exactly one of `tokenId` and `holderKeyHash` is required: the id of a token bound to a key follows from its claims.
 */
export type ClaimsToWrite = Omit<AccessTokenClaims, "reservationId" | "tokenId" | "sizeClassIndex"> &
  Partial<Pick<AccessTokenClaims, "reservationId" | "tokenId" | "sizeClassIndex">>;

/** Parsed claims. The id of a token bound to a key is computed separately: {@link boundTokenId}. */
export type ReadClaims = Omit<AccessTokenClaims, "tokenId"> & {
  /** Undefined if the token is bound to a key. */
  readonly tokenId: string | undefined;
};

/** The claims in a token. `sub` and `sz`: a reservation's; `bdl`: a bundle's; `cnf` in place of `jti`: bound to a key. */
interface WireClaims {
  aud: string;
  sub?: string;
  bdl?: string;
  jti?: string;
  cnf?: string;
  nbf: number;
  exp: number;
  sz?: number;
}

/**
 * Writes claims in their fixed order. `aud` is the site's id in its short form ({@link siteAudience}). `sub` and `bdl` are the ids of the reservation and
 * the bundle without prefix and region, for which a token has no room and which follow from the claim's name and from `aud`. Throws a RangeError that names
 * the value if a claim is out of range.
 */
export function writeClaims(claims: ClaimsToWrite): WireClaims {
  const { bundleId = "", holderKeyHash = "", tokenId = "", reservationId = "", sizeClassIndex = 0 } = claims;
  const site = parseSiteId(claims.siteId);
  if (site === undefined) throw new RangeError(`siteId '${claims.siteId}' is not a site id`);
  const aud = siteAudience(claims.siteId);
  const id = holderKeyHash === "" ? { jti: tokenId } : { cnf: holderKeyHash };
  const rest = { ...id, nbf: Math.floor(claims.notBeforeMs / 1000), exp: Math.floor(claims.expiresAtMs / 1000) };
  const written =
    claims.act === Act.SERVICE
      ? { aud, sub: claims.compartmentId ?? "", ...rest }
      : bundleId === ""
        ? { aud, sub: handleOf("reservation", reservationId, parseReservationId, site.region), ...rest, sz: sizeClassIndex }
        : { aud, bdl: handleOf("bundle", bundleId, parseBundleId, site.region), ...rest };
  if (readClaims(written, claims.act, claims.isDelegated) === undefined) {
    throw new RangeError(
      `the claims ${JSON.stringify(written)} are outside their ranges: jti or cnf has 128 bits in base64url, and is cnf for RECALL and SERVICE, ` +
        "nbf is before exp, sz is in [0, 7], bdl is for COLLECT and with jti, a door has 1 to 16 letters, digits, - and _",
    );
  }
  return written;
}

function handleOf(
  noun: string,
  id: string,
  parse: (text: string) => { region: Region; handle: string } | undefined,
  region: Region,
): string {
  const parsed = parse(id);
  if (parsed === undefined) throw new RangeError(`${noun}Id '${id}' is not a ${noun} id`);
  if (parsed.region !== region) throw new RangeError(`${noun} '${id}' is not in the site's region '${region}'`);
  return parsed.handle;
}

/** Reads claims; undefined if one is missing, unknown, out of order or out of range. */
export function readClaims(written: unknown, act: Act, isDelegated = false): ReadClaims | undefined {
  if (typeof written !== "object" || written === null) return undefined;
  const { aud, sub, bdl, jti, cnf, nbf, exp, sz } = written as Record<keyof WireClaims, unknown>;
  const isBound = "cnf" in written;
  const id = isBound ? cnf : jti;
  const site = typeof aud === "string" ? siteOfAudience(aud) : undefined;
  if (site === undefined || typeof id !== "string" || decodeBase64url(id)?.length !== 16) return undefined;
  if (!isWithin(nbf, latestSecond) || !isWithin(exp, latestSecond) || nbf >= exp) return undefined;
  if (boundActs.has(act) && !isBound) return undefined;
  const common = {
    act,
    siteId: site.siteId,
    tokenId: isBound ? undefined : id,
    ...(isBound ? { holderKeyHash: id } : {}),
    notBeforeMs: nbf * 1000,
    expiresAtMs: exp * 1000,
    ...(isDelegated ? { isDelegated } : {}),
  };
  const members = Object.keys(written).join();
  if (act === Act.SERVICE) {
    if (members !== "aud,sub,cnf,nbf,exp" || typeof sub !== "string" || !(sub === "" || compartmentPattern.test(sub))) return undefined;
    return { ...common, reservationId: "", ...(sub === "" ? {} : { compartmentId: sub }), sizeClassIndex: 0 };
  }
  switch (members) {
    case `aud,sub,${isBound ? "cnf" : "jti"},nbf,exp,sz`: {
      const reservationId = typeof sub === "string" ? formatReservationId(site.region, sub) : "";
      if (parseReservationId(reservationId)?.handle !== sub || !isWithin(sz, sizeClassLimit - 1)) return undefined;
      return { ...common, reservationId, sizeClassIndex: sz };
    }
    case "aud,bdl,jti,nbf,exp": {
      const bundleId = typeof bdl === "string" ? formatBundleId(site.region, bdl) : "";
      if (parseBundleId(bundleId)?.handle !== bdl || act !== Act.COLLECT) return undefined;
      return { ...common, reservationId: "", bundleId, sizeClassIndex: 0 };
    }
    default:
      return undefined;
  }
}

function isWithin(value: unknown, limit: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= limit;
}
