import type { CredentialVector } from "../../vectors/credential-vector.ts";
import { base64url } from "../signing.ts";
import {
  claims,
  dayS,
  earlyClaims,
  headerText,
  early as inEarlyYears,
  nowS,
  otherSiteId,
  refused,
  refusedProven,
  siteId,
  token,
  tokenOf,
  vector,
} from "./scene.ts";
import { audienceOf } from "./site-audience.ts";

// For the year 1970, so that additions fit and the length is not the reason of the refusal.
const { aud, sub, jti, nbf, exp, sz } = earlyClaims;
const text = JSON.stringify(earlyClaims);
const wrong = (id: string, shows: string, payload: string) =>
  vector(id, shows, { token: tokenOf(headerText(), payload) }, refused("CLAIMS"), inEarlyYears);
const changed = (id: string, shows: string, changes: object) => wrong(id, shows, JSON.stringify({ ...earlyClaims, ...changes }));
/** The claims with one value replaced by this text. */
const written = (id: string, shows: string, name: string, from: unknown, to: string) =>
  wrong(id, shows, text.replace(`"${name}":${JSON.stringify(from)}`, `"${name}":${to}`));

/** Claims that are missing, unknown, malformed or out of range, and valid ones for another site or with a too long validity. */
export const claimsVectors: CredentialVector[] = [
  wrong("empty", "Empty claims are refused.", ""),
  wrong("no-json", "Claims must be JSON.", `aud=${aud}`),
  wrong("array", "Claims must be an object.", JSON.stringify([aud, sub, jti, nbf, exp, sz])),
  wrong("null", "Claims must be an object, not null.", "null"),
  wrong("reordered", "The claims have one order.", JSON.stringify({ sub, aud, jti, nbf, exp, sz })),
  wrong("spaces", "The claims have no spaces.", text.replaceAll(",", ", ")),
  wrong("newline", "The claims end with their brace.", `${text}\n`),
  wrong("byte-order-mark", "A byte order mark is not ignored.", `\uFEFF${text}`),
  wrong("escaped-value", "The claims have no escapes.", text.replace('"aud":"Z', '"aud":"\\u005a')),
  wrong("escaped-name", "The claims have no escapes in their names either.", text.replace('"aud"', '"\\u0061ud"')),
  wrong("member-twice", "Duplicate claims are refused, even with equal values.", text.replace('"sz":2', '"sz":2,"sz":2')),
  wrong(
    "member-twice-differing",
    "Duplicate claims are refused, since parsers differ in which one they use.",
    text.replace('"sz":2', '"sz":1,"sz":2'),
  ),
  changed("unknown-claim", "An unknown claim is refused.", { iss: "par_a" }),
  changed("issued-at", "Claims that are harmless elsewhere are unknown here.", { iat: 1 }),
  ...(["aud", "sub", "jti", "nbf", "exp", "sz"] as const).map((name) =>
    changed(`no-${name}`, `A token without ${name} is refused.`, { [name]: undefined }),
  ),
  changed("aud-id", "aud is the site's id in its short form.", { aud: siteId }),
  changed("aud-list", "aud is one site, not a list.", { aud: [aud] }),
  changed("aud-zero", "Sites are counted from 1.", { aud: audienceOf("site_83652b_k3v9c0x2md000000") }),
  changed("aud-short", "aud has twelve bytes.", { aud: aud.slice(0, 15) }),
  changed("aud-long", "aud has no more than twelve bytes.", { aud: `${aud}AA` }),
  changed("aud-padded", "aud has no padding.", { aud: `${aud}====` }),
  changed("aud-foreign-letter", "aud is base64url, not base64.", { aud: `${aud.slice(0, 15)}+` }),
  changed("sub-short", "A reservation's handle has 16 characters.", { sub: sub.slice(1) }),
  changed("sub-with-prefix", "sub is the handle alone.", { sub: `res_83652b_${sub}` }),
  changed("sub-foreign-letter", "The letters i, l, o and u do not occur in ids.", { sub: `${sub.slice(0, 15)}u` }),
  changed("jti-short", "A token id of 15 bytes is refused.", { jti: base64url(Buffer.alloc(15, 7)) }),
  changed("jti-long", "A token id of 17 bytes is refused.", { jti: base64url(Buffer.alloc(17, 7)) }),
  changed("jti-empty", "An empty token id is refused.", { jti: "" }),
  changed("jti-padded", "A token id has no padding.", { jti: `${jti}==` }),
  changed("jti-stray-bits", "A token id has one canonical encoding; otherwise it could be spent twice.", {
    jti: `${base64url(Buffer.alloc(16, 0)).slice(0, -1)}B`,
  }),
  changed("nbf-string", "Times are numbers.", { nbf: String(nbf) }),
  changed("nbf-negative", "Times are not before 1970.", { nbf: -1 }),
  changed("nbf-fraction", "Times are whole seconds.", { nbf: nbf + 0.5 }),
  written("nbf-decimal-point", "A whole number has no decimal point.", "nbf", nbf, `${nbf}.0`),
  written("nbf-exponent", "A number has no exponent.", "nbf", nbf, `${nbf}e0`),
  written("nbf-leading-zero", "A number has no zero before it.", "nbf", nbf, `0${nbf}`),
  written("nbf-null", "A time is not left open.", "nbf", nbf, "null"),
  changed("exp-at-nbf", "A token without any validity is refused.", { exp: nbf }),
  changed("exp-before-nbf", "A token that ends before it begins is refused.", { exp: nbf - 1 }),
  changed("exp-too-great", "A time has at most ten digits.", { exp: 10_000_000_000 }),
  changed("exp-in-ms", "Times are seconds, not milliseconds.", { exp: claims.exp * 1000 }),
  changed("sz-too-great", "A site has at most eight size classes, 0 to 7.", { sz: 8 }),
  changed("sz-negative", "Size classes are counted from 0.", { sz: -1 }),
  changed("sz-string", "A size class is a number.", { sz: "2" }),
  changed("sz-true", "true is not the number 1.", { sz: true }),
  written("sz-minus-zero", "Zero has no sign.", "sz", sz, "-0"),
  vector(
    "other-site",
    "A token is for one site, and opens nowhere else.",
    { token: token({ aud: audienceOf(otherSiteId) }) },
    refusedProven("SITE"),
  ),
  vector(
    "other-region",
    "The same number in another region is another site.",
    { token: token({ aud: audienceOf(siteId.replace("83652b", "83652a")) }) },
    refusedProven("SITE", { reservationId: `res_83652a_${sub}` }),
  ),
  vector(
    "other-store",
    "The same number in the same region, given out by another store, is another site.",
    { token: token({ aud: audienceOf(siteId.replace("k3v9c0x2md", "0x2mdk3v9c")) }) },
    refusedProven("SITE"),
  ),
  vector(
    "lives-too-long",
    "A token with a validity of 14 days and a second is refused.",
    { token: token({ nbf: nowS - dayS, exp: nowS + 13 * dayS + 1 }) },
    refusedProven("TOO_LONG_LIVED"),
  ),
  vector(
    "site-before-life",
    "Another site takes precedence over a too long validity.",
    { token: token({ aud: audienceOf(otherSiteId), exp: claims.nbf + 15 * dayS }) },
    refusedProven("SITE"),
  ),
];
