import { encodeBase64url } from "../bytes/base64url.ts";
import { verifyText } from "../keys/verify-text.ts";
import { readCourierCode } from "./courier-code.ts";
import { type CourierKey, type DriverCertificate, driverCertificateFaults, judgeDriverCertificate } from "./driver-certificate.ts";
import { type HandoverList, readHandoverList } from "./list.ts";
import { type HandoverStatement, handoverText, readSiteStatement, type SignedStatement, statementOf } from "./statement.ts";

/** What both sides keep of a hand-over: the same three texts. */
export interface HandoverReceipt {
  /** See {@link readHandoverList}. */
  readonly list: string;
  /** What the site signed: a compact JWS. */
  readonly siteStatement: string;
  /** What the courier answered: see {@link readCourierCode}. */
  readonly courierCode: string;
}

/** What the judge of a hand-over knows beforehand. */
export interface HandoverExpectations {
  readonly siteId: string;
  /** The keys of the site's agents, 32 bytes each. Undefined: any, since a driver without the network may know none. */
  readonly siteKeys: readonly Uint8Array[] | undefined;
  readonly courierKeys: readonly CourierKey[];
}

/** What is wrong with a hand-over, in the order in which it is found. docs/handover.md says what each means. */
export const handoverFaults = [
  "list",
  "form",
  "typ",
  "claims",
  "site",
  "site_key",
  "site_signature",
  "direction",
  "courier",
  "nonce",
  "time",
  "counts",
  "list_hash",
  "answer",
  "answer_list",
  ...driverCertificateFaults,
  "courier_signature",
] as const;

export type HandoverFault = (typeof handoverFaults)[number];

/** A hand-over that both sides signed. */
export interface JudgedHandover {
  readonly list: HandoverList;
  readonly statement: HandoverStatement;
  readonly certificate: DriverCertificate;
}

/** Judges a whole receipt: the list, and both signatures. Never throws. */
export async function judgeHandover(receipt: HandoverReceipt, expected: HandoverExpectations): Promise<JudgedHandover | HandoverFault> {
  const list = readHandoverList(receipt.list);
  if (list === undefined) return "list";
  const signed = await judgeSiteStatement(receipt.siteStatement, expected);
  if (typeof signed === "string") return signed;
  const { statement } = signed;
  const fault = differenceOf(await statementOf(list), statement);
  if (fault !== undefined) return fault;
  const certificate = await judgeCourierCode(receipt.courierCode, statement, expected.courierKeys);
  return typeof certificate === "string" ? certificate : { list, statement, certificate };
}

/** Judges what a site signed, without the list. Never throws. */
export async function judgeSiteStatement(
  text: string,
  { siteId, siteKeys }: Pick<HandoverExpectations, "siteId" | "siteKeys">,
): Promise<SignedStatement | HandoverFault> {
  const signed = readSiteStatement(text);
  if (typeof signed === "string") return signed;
  if (signed.statement.siteId !== siteId) return "site";
  const x = encodeBase64url(signed.siteKey);
  if (siteKeys !== undefined && !siteKeys.some((key) => encodeBase64url(key) === x)) return "site_key";
  return (await verifyText(signed.siteKey, signed.signature, signed.signed)) ? signed : "site_signature";
}

/** Judges a courier's answer to what a site has signed. Never throws. */
export async function judgeCourierCode(
  code: string,
  statement: HandoverStatement,
  courierKeys: readonly CourierKey[],
): Promise<DriverCertificate | HandoverFault> {
  const answer = readCourierCode(code);
  if (answer === undefined) return "answer";
  if (answer.listHash !== statement.listHash) return "answer_list";
  const certificate = await judgeDriverCertificate(answer.certificate, { ...statement, courierKeys });
  if (typeof certificate === "string") return certificate;
  const text = handoverText("courier", certificate.driverKey, statement);
  return (await verifyText(certificate.driverKey, answer.signature, text)) ? certificate : "courier_signature";
}

function differenceOf(list: HandoverStatement, signed: HandoverStatement): HandoverFault | undefined {
  if (list.siteId !== signed.siteId) return "site";
  if (list.direction !== signed.direction) return "direction";
  if (list.courierId !== signed.courierId) return "courier";
  if (list.nonce !== signed.nonce) return "nonce";
  if (list.atMs !== signed.atMs) return "time";
  const isSameCount = (["OK", "DAMAGED", "REFUSED"] as const).every((condition) => list.counts[condition] === signed.counts[condition]);
  if (!isSameCount) return "counts";
  return list.listHash === signed.listHash ? undefined : "list_hash";
}
