import { Act, formatBundleId, formatReservationId, parseBundleId, parseReservationId, parseSiteId, type Region } from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";
import { siteAudience, siteOfAudience } from "./site-audience.ts";

/**
 * The `typ` of an access token by act. One type per act, so that a token to deposit can never open for a collector: a judge learns the
 * act from the type and from nothing else.
 */
export const accessTokenTypes: ReadonlyMap<Act, string> = new Map<Act, string>([
  [Act.DEPOSIT, "petak-deposit"],
  [Act.COLLECT, "petak-collect"],
  [Act.RECALL, "petak-recall"],
  [Act.SERVICE, "petak-service"],
]);

/** The `typ` of a delegate's access token: to collect, and told apart from its recipient's, so that nothing is made of it in turn. */
export const delegateTokenType = "petak-delegate";

/** An access token has at most this many characters: what a QR code of version 11 holds (321) at its lowest level of correction. */
export const accessTokenMaxLength = 320;

/** An access token is good for at most this long, in ms: agents keep spent token ids that long, so it bounds what they store. */
export const accessTokenMaxLifetimeMs = 14 * 24 * 3_600_000;

/** A site has at most this many size classes. */
const sizeClassLimit = 8;

/** The greatest second an `exp` can name: ten digits, until the year 2286, are what the length was reckoned with. */
const latestSecond = 9_999_999_999;

/** A door as operators name them: what {@link AccessTokenClaims.compartmentId} may be. */
const compartmentPattern = /^[A-Za-z0-9_-]{1,16}$/;

/** The acts for which a token must be bound to a key. */
const boundActs: ReadonlySet<Act> = new Set([Act.RECALL, Act.SERVICE]);

/** What an access token says. */
export interface AccessTokenClaims {
  /** What it is good for. */
  readonly act: Act;
  /** The one site where it opens. */
  readonly siteId: string;
  /** The reservation. It lies in the site's region. Empty where the token is a bundle's, and for SERVICE, which is about the site. */
  readonly reservationId: string;
  /** The bundle, for COLLECT only. It lies in the site's region. Default none: the token is a reservation's. */
  readonly bundleId?: string;
  /** True: for somebody whom the recipient lets collect; for COLLECT only. Default false. */
  readonly isDelegated?: boolean;
  /** SERVICE: the one door that it opens. Default none: each door behind which no parcel lies. The other acts have none. */
  readonly compartmentId?: string;
  /**
   * Whose it is: the {@link holderKeyHash} of the key whose owner must prove to be there. Default none: it opens for whoever shows it. RECALL and
   * SERVICE always have one, a bundle's token never.
   */
  readonly holderKeyHash?: string;
  /** 128 bits in base64url. Spent when a door opens with it. */
  readonly tokenId: string;
  /** From when it opens, in ms: whole seconds. */
  readonly notBeforeMs: number;
  /** Until when it opens, in ms: whole seconds. */
  readonly expiresAtMs: number;
  /** Which of the site's size classes, counted from 0 in the site's own order. Range: [0, 7]. A bundle's token and one for SERVICE do not say: 0. */
  readonly sizeClassIndex: number;
}

/**
 * What a token is to say: {@link AccessTokenClaims} of which each may be left out that the token does not have. It has a `tokenId`, or a
 * `holderKeyHash`, from which and from the other claims its id follows.
 */
export type ClaimsToWrite = Omit<AccessTokenClaims, "reservationId" | "tokenId" | "sizeClassIndex"> &
  Partial<Pick<AccessTokenClaims, "reservationId" | "tokenId" | "sizeClassIndex">>;

/** Claims that were read. The id of a token that is bound to a key follows from them all: {@link boundTokenId}. */
export type ReadClaims = Omit<AccessTokenClaims, "tokenId"> & {
  /** Undefined where the token is bound to a key. */
  readonly tokenId: string | undefined;
};

/** The claims as they are written: a reservation's token has `sub` and `sz`, a bundle's `bdl`. One that is bound to a key has `cnf` for `jti`. */
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
 * Writes claims: members in this order, without spaces. `aud` is the site's id in its short form, see {@link siteAudience}, `sub` the reservation's
 * without its `res_` and region, which are the site's, and `bdl` likewise the bundle's: the prefixes say nothing that the claims' names do not, and there
 * is no room for them. Throws a RangeError that names the value where a claim cannot be written.
 */
export function writeClaims(claims: ClaimsToWrite): WireClaims {
  const { bundleId = "", holderKeyHash = "", tokenId = "", reservationId = "", sizeClassIndex = 0 } = claims;
  const site = parseSiteId(claims.siteId);
  if (site === undefined) throw new RangeError(`siteId '${claims.siteId}' is no site id`);
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
  if (parsed === undefined) throw new RangeError(`${noun}Id '${id}' is no ${noun} id`);
  if (parsed.region !== region) throw new RangeError(`${noun} '${id}' lies in another region than '${region}', the site's`);
  return parsed.handle;
}

/** Reads claims, or undefined where one is missing, unknown, out of its order or out of its range. */
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
