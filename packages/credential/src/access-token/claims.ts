import {
  Act,
  formatBundleId,
  formatReservationId,
  formatSiteId,
  parseBundleId,
  parseReservationId,
  parseSiteId,
  type Region,
} from "@petak/protocol";
import { decodeBase64url } from "../bytes/base64url.ts";

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

/** What an access token says. */
export interface AccessTokenClaims {
  /** What it is good for. */
  readonly act: Act;
  /** The one site where it opens. */
  readonly siteId: string;
  /** The reservation. It lies in the site's region. Empty where the token is a bundle's. */
  readonly reservationId: string;
  /** The bundle, for COLLECT only. It lies in the site's region. Default none: the token is a reservation's. */
  readonly bundleId?: string;
  /** True: for somebody whom the recipient lets collect; for COLLECT only. Default false. */
  readonly isDelegated?: boolean;
  /** 128 bits in base64url. Spent when a door opens with it. */
  readonly tokenId: string;
  /** From when it opens, in ms: whole seconds. */
  readonly notBeforeMs: number;
  /** Until when it opens, in ms: whole seconds. */
  readonly expiresAtMs: number;
  /** Which of the site's size classes, counted from 0 in the site's own order. Range: [0, 7]. A bundle's token does not say: 0. */
  readonly sizeClassIndex: number;
}

/** The claims as they are written: a reservation's token has `sub` and `sz`, a bundle's `bdl`. */
interface WireClaims {
  aud: string;
  sub?: string;
  bdl?: string;
  jti: string;
  nbf: number;
  exp: number;
  sz?: number;
}

/**
 * Writes claims: members in this order, without spaces. `aud` is the site's id without its `site_`, `sub` the reservation's without its
 * `res_` and region, which are the site's, and `bdl` likewise the bundle's: the prefixes say nothing that the claims' names do not, and there is
 * no room for them. Throws a RangeError that names the value where a claim cannot be written.
 */
export function writeClaims(claims: AccessTokenClaims): WireClaims {
  const { bundleId = "" } = claims;
  const site = parseSiteId(claims.siteId);
  if (site === undefined) throw new RangeError(`siteId '${claims.siteId}' is no site id`);
  const aud = claims.siteId.slice("site_".length);
  const rest = { jti: claims.tokenId, nbf: Math.floor(claims.notBeforeMs / 1000), exp: Math.floor(claims.expiresAtMs / 1000) };
  const written =
    bundleId === ""
      ? { aud, sub: handleOf("reservation", claims.reservationId, parseReservationId, site.region), ...rest, sz: claims.sizeClassIndex }
      : { aud, bdl: handleOf("bundle", bundleId, parseBundleId, site.region), ...rest };
  if (readClaims(written, claims.act, claims.isDelegated) === undefined) {
    throw new RangeError(
      `the claims ${JSON.stringify(written)} are outside their ranges: jti has 128 bits in base64url, nbf is before exp, sz is in [0, 7], bdl is for COLLECT`,
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
export function readClaims(written: unknown, act: Act, isDelegated = false): AccessTokenClaims | undefined {
  if (typeof written !== "object" || written === null) return undefined;
  const { aud, sub, bdl, jti, nbf, exp, sz } = written as Record<keyof WireClaims, unknown>;
  const site = typeof aud === "string" ? parseSiteId(`site_${aud}`) : undefined;
  if (site === undefined || typeof jti !== "string" || decodeBase64url(jti)?.length !== 16) return undefined;
  if (!isWithin(nbf, latestSecond) || !isWithin(exp, latestSecond) || nbf >= exp) return undefined;
  const common = {
    act,
    siteId: formatSiteId(site.region, site.siteNumber),
    tokenId: jti,
    notBeforeMs: nbf * 1000,
    expiresAtMs: exp * 1000,
    ...(isDelegated ? { isDelegated } : {}),
  };
  switch (Object.keys(written).join()) {
    case "aud,sub,jti,nbf,exp,sz": {
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
