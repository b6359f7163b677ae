import type { HandoverVector } from "../../vectors/handover-vector.ts";
import { base64url, withGreatS } from "../signing.ts";
import {
  type AnswerChanges,
  atMs,
  certificate,
  claimsOf,
  company,
  companyKeyId,
  courierCode,
  courierId,
  entry,
  headerOf,
  type List,
  listOf,
  nonceNamed,
  site,
  siteId,
  siteStatement,
  stranger,
} from "./scene.ts";

const atS = atMs / 1000;
const list = listOf([entry("SG 4711/9"), entry(1), entry(2, "DAMAGED", "WET"), entry(3, "REFUSED", "NO_PLACE"), entry(4)]);
const otherSiteId = "site_83652b_9c9c9c9c9c";
const otherCourierId = "par_0000000000000000";
const lowOrder = Buffer.from("0100000000000000000000000000000000000000000000000000000000000000", "hex");

interface Changes extends Partial<Omit<HandoverVector, "expected">> {
  /** The list that both sides signed. */
  of?: List;
  answer?: AnswerChanges;
}

function vector(id: string, shows: string, fault: string | null, { of = list, answer, ...members }: Changes = {}): HandoverVector {
  return {
    id,
    shows,
    list: JSON.stringify(of),
    site_statement: siteStatement(of),
    courier_code: courierCode(of, answer),
    site_id: siteId,
    site_keys: [base64url(site.publicKey)],
    courier_keys: [{ courier_id: courierId, key_id: companyKeyId, public_key: base64url(company.publicKey) }],
    ...members,
    expected: { fault },
  };
}

function certified(claims: object, header: object = {}, key = company): Changes {
  return { answer: { certificate: certificate(claims, header, key) } };
}

function listed(changes: Partial<List>): Changes {
  return { list: JSON.stringify({ ...list, ...changes }) };
}

const many = (count: number) => listOf(Array.from({ length: count }, (_, index) => entry(index)));
const changedEntry = listed({ entries: list.entries.map((one, index) => (index === 2 ? entry(2, "DAMAGED", "OPENED") : one)) });
const otherList = listOf(list.entries, { nonce: nonceNamed("another list") });

/** Receipts of hand-overs. */
export const handovers: readonly HandoverVector[] = [
  vector("incoming", "A courier gives parcels to a site", null),
  vector("outgoing", "A site gives parcels to a courier", null, { of: listOf(list.entries, { direction: "OUT" }) }),
  vector("one", "One parcel", null, { of: many(1) }),
  vector("two-hundred", "The most parcels", null, { of: many(200) }),
  vector("unknown-site-key", "A judge who knows no key of the site", null, { site_keys: null }),
  vector("certified-for-site", "A driver's certificate for this site", null, certified({ site_id: siteId })),
  vector("longest-certificate", "A driver's certificate of 36 hours", null, certified({ exp: atS + 35 * 3600 })),
  vector("first-moment", "The courier's clock is 5 minutes ahead", null, certified({ nbf: atS + 300 })),

  vector("no-json", "A list that is no JSON", "list", { list: "" }),
  vector("spaces", "A list with a space", "list", { list: JSON.stringify(list).replace(",", ", ") }),
  vector("list-version", "A list of another version", "list", listed({ version: 2 })),
  vector("no-entries", "A list without parcels", "list", listed({ entries: [] })),
  vector("too-many", "201 parcels", "list", { of: many(201) }),
  vector("twice", "A parcel that is listed twice", "list", listed({ entries: [...list.entries, entry(4, "REFUSED", "OTHER")] })),
  vector("unordered", "Parcels in another order", "list", listed({ entries: [...list.entries].reverse() })),
  vector("both-names", "A parcel with a reservation and a label code", "list", listed({ entries: [{ ...entry(1), label_code: "1" }] })),
  vector("no-name", "A parcel with neither", "list", listed({ entries: [entry("")] })),
  vector("label-form", "A label code with a letter beyond ASCII", "list", listed({ entries: [entry("é")] })),
  vector("ok-with-reason", "A reason for a parcel that is OK", "list", listed({ entries: [entry(1, "OK", "WET")] })),
  vector("refused-without-reason", "A refused parcel without a reason", "list", listed({ entries: [entry(1, "REFUSED")] })),
  vector("foreign-reason", "A reason of another condition", "list", listed({ entries: [entry(1, "REFUSED", "WET")] })),
  vector("list-direction", "A direction that is not known", "list", listed({ direction: "UP" })),
  vector("list-nonce", "A nonce of 15 bytes", "list", listed({ nonce: "AAAAAAAAAAAAAAAAAAAA" })),

  vector("no-statement", "No signature of the site", "form", { site_statement: "" }),
  vector("statement-kid", "A site's key that is none", "form", { site_statement: siteStatement(list, {}, { kid: "key_live_1" }) }),
  vector("courier-as-site", "What a courier signs, as the site's", "typ", {
    site_statement: siteStatement(list, {}, { typ: "petak-handover-courier" }),
  }),
  vector("unknown-claim", "A claim that is not known", "claims", { site_statement: siteStatement(list, { x: 1 }) }),
  vector("count-range", "201 parcels by the statement", "claims", { site_statement: siteStatement(list, { ok: 199 }) }),

  vector("other-site", "At another site", "site", { site_id: otherSiteId }),
  vector("list-of-other-site", "A list of another site, with this one's statement", "site", listed({ site_id: otherSiteId })),
  vector("other-site-key", "Signed by a key that is not the site's", "site_key", { site_statement: siteStatement(list, {}, {}, stranger) }),
  vector("forged-site", "Signed by a stranger in the name of the site's key", "site_signature", {
    site_statement: siteStatement(list, {}, headerOf("site", site), stranger),
  }),
  vector("great-s", "The order of the group added to S", "site_signature", {
    site_statement: siteStatement(list).replace(/[^.]+$/, (signature) => base64url(withGreatS(Buffer.from(signature, "base64url")))),
  }),
  vector("low-order-site", "A site's key of low order", "site_signature", {
    site_statement: siteStatement(list, {}, { kid: base64url(lowOrder) }),
    site_keys: null,
  }),
  vector("other-direction", "The list is of the other direction", "direction", listed({ direction: "OUT" })),
  vector("other-courier", "The list is of another courier", "courier", listed({ courier_id: otherCourierId })),
  vector("other-nonce", "The list has another nonce", "nonce", listed({ nonce: otherList.nonce })),
  vector("other-time", "The list has another time", "time", listed({ at_ms: atMs + 1 })),
  vector("other-count", "The list has a parcel less", "counts", listed({ entries: list.entries.slice(1) })),
  vector(
    "ok-for-refused",
    "A parcel is OK that was refused",
    "counts",
    listed({ entries: list.entries.map((one) => ({ ...one, condition: "OK", reason: "" })) }),
  ),
  vector("changed-entry", "A parcel has another reason", "list_hash", changedEntry),

  vector("no-answer", "No signature of the courier", "answer", { courier_code: "" }),
  vector("no-certificate", "An answer without a certificate", "answer", { courier_code: courierCode(list).replace(/~[^~]*$/, "") }),
  vector("answer-of-other-list", "The answer to another list", "answer_list", { courier_code: courierCode(otherList) }),
  vector("replayed", "The answer to another list, with this one's hash", "courier_signature", {
    courier_code: courierCode(otherList, { listHash: String(claimsOf(list).list_hash) }),
  }),
  vector("certificate-text", "A certificate that is none", "certificate_form", { answer: { certificate: "AAAA" } }),
  vector("certificate-type", "An issuer's certificate as a driver's", "certificate_form", certified({}, { typ: "petak-certificate" })),
  vector("certificate-crit", "A critical header field", "certificate_form", certified({}, { crit: ["x"] })),
  vector("certificate-version", "A certificate of another version", "certificate_claims", certified({ version: 2 })),
  vector("too-long-lived", "A certificate of 36 hours and a second", "certificate_claims", certified({ exp: atS + 35 * 3600 + 1 })),
  vector(
    "short-driver-key",
    "A driver's key of 31 bytes",
    "certificate_claims",
    certified({ x: base64url(stranger.publicKey.subarray(1)) }),
  ),
  vector("other-couriers-driver", "The driver of another courier", "certificate_courier", certified({ courier_id: otherCourierId })),
  vector(
    "unknown-courier-key",
    "Certified by a key that is not known",
    "certificate_key",
    certified({}, { kid: "key_live_0000000000000000" }),
  ),
  vector("low-order-driver", "A driver's key of low order", "certificate_key", certified({ x: base64url(lowOrder) })),
  vector(
    "self-certified",
    "Certified by a stranger in the name of the courier's key",
    "certificate_signature",
    certified({}, {}, stranger),
  ),
  vector("certified-for-other-site", "A driver's certificate for another site", "certificate_site", certified({ site_id: otherSiteId })),
  vector("expired", "A driver's certificate at its end", "certificate_time", certified({ exp: atS })),
  vector("too-early", "5 minutes and a second before it begins", "certificate_time", certified({ nbf: atS + 301 })),
  vector("other-driver", "Signed by another driver", "courier_signature", { answer: { key: stranger } }),
  vector("site-as-courier", "Signed by the driver as if it were the site", "courier_signature", {
    answer: { header: headerOf("site", stranger) },
  }),
];
