import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { courierCodePrefix, readCourierCode } from "./courier-code.ts";
import { type CourierKey, type DriverCertificate, readDriverCertificate } from "./driver-certificate.ts";
import { type HandoverFault, type HandoverReceipt, judgeCourierCode, judgeSiteStatement } from "./judge-handover.ts";
import {
  type HandoverDirection,
  type HandoverEntry,
  handoverEntryHash,
  handoverEntryHashes,
  isCondition,
  isReasonOf,
  readHandoverList,
} from "./list.ts";
import { pathOf, rootAlong } from "./merkle.ts";
import { type HandoverStatement, parcelsIn, readSiteStatement } from "./statement.ts";

/** The longest proof of a hand-over, in characters. */
export const handoverProofMaxLength = 2000;

/** What the judge of a proof knows. */
export interface HandoverProofExpectations {
  readonly siteId: string;
  /** The key of the agent that reports, 32 bytes: it must have signed the list. */
  readonly siteKey: Uint8Array;
  readonly courierKeys: readonly CourierKey[];
}

/** A list that both sides signed, without its entries. */
export interface ProvenHandover {
  readonly statement: HandoverStatement;
  readonly certificate: DriverCertificate;
}

/** One parcel of such a list. */
export interface ParcelToProve {
  readonly reservationId: string;
  readonly direction: HandoverDirection;
  /** The party of the reservation that gives or takes the parcel. */
  readonly courierId: string;
  /** See {@link handoverListHash}. */
  readonly listHash: string;
}

/** Both signatures of a list, as a HANDOVER_SIGNED report has them: `statement~signature~certificate`. Throws a TypeError if the courier's code is none. */
export function handoverSignatures({ siteStatement, courierCode }: Pick<HandoverReceipt, "siteStatement" | "courierCode">): string {
  const answer = readCourierCode(courierCode);
  if (answer === undefined) throw new TypeError("the courier's code is none");
  return [siteStatement, encodeBase64url(answer.signature), answer.certificate].join("~");
}

/** What shows that a reservation's parcel was handed over by a list: for the report of the parcel. Undefined: it is not in the list. */
export async function handoverProof(receipt: HandoverReceipt, reservationId: string): Promise<string | undefined> {
  const list = readHandoverList(receipt.list);
  const index = list?.entries.findIndex((entry) => entry.reservationId === reservationId) ?? -1;
  const entry = list?.entries[index];
  if (list === undefined || entry === undefined) return undefined;
  const path = await pathOf(await handoverEntryHashes(list), index);
  const path64 = encodeBase64url(Uint8Array.from(path.flatMap((hash) => [...hash])));
  return [handoverSignatures(receipt), index, entry.condition, entry.reason, path64].join("~");
}

/** The id of the courier's key that certified the driver, which a judge must look up. Empty: the text says none. */
export function courierKeyIdIn(text: string): string {
  const certificate = readDriverCertificate(text.split("~")[2] ?? "");
  return typeof certificate === "string" ? "" : certificate.keyId;
}

/** Judges both signatures of a list; what follows them in the text is passed over. Never throws. */
export async function judgeHandoverSignatures(
  text: string,
  { siteId, siteKey, courierKeys }: HandoverProofExpectations,
): Promise<ProvenHandover | HandoverFault> {
  const [siteStatement = "", signature = "", certificateText = ""] = text.split("~");
  const signed = await judgeSiteStatement(siteStatement, { siteId, siteKeys: [siteKey] });
  if (typeof signed === "string") return signed;
  const { statement } = signed;
  const courierCode = [courierCodePrefix, statement.listHash, signature, certificateText].join("~");
  const certificate = await judgeCourierCode(courierCode, statement, courierKeys);
  return typeof certificate === "string" ? certificate : { statement, certificate };
}

/** Whether a text shows that a reservation's parcel was handed over: both sides signed the list, and the parcel is in it and was not refused. Never throws. */
export async function isHandoverProof(text: string, expected: HandoverProofExpectations & ParcelToProve): Promise<boolean> {
  if (text.length > handoverProofMaxLength) return false;
  const proven = await judgeHandoverSignatures(text, expected);
  if (typeof proven === "string") return false;
  const { statement } = proven;
  const isOfParcel =
    statement.direction === expected.direction && statement.courierId === expected.courierId && statement.listHash === expected.listHash;
  return isOfParcel && (await isListed(text, statement, expected.reservationId));
}

/** What a list says about itself, before anything is verified. Undefined: the text says nothing. */
export function statementIn(text: string): HandoverStatement | undefined {
  const signed = readSiteStatement(text.split("~")[0] ?? "");
  return typeof signed === "string" ? undefined : signed.statement;
}

async function isListed(text: string, statement: HandoverStatement, reservationId: string): Promise<boolean> {
  const [, , , indexText = "", condition, reason, path64 = "", ...rest] = text.split("~");
  const [index, path] = [Number(indexText), decodeBase64url(path64)];
  const isIndex = /^(0|[1-9]\d{0,2})$/.test(indexText) && index < parcelsIn(statement);
  if (!isIndex || path === undefined || path.length % 32 !== 0 || rest.length > 0) return false;
  if (!isCondition(condition) || condition === "REFUSED" || !isReasonOf(condition, reason)) return false;
  const entry: HandoverEntry = { reservationId, labelCode: "", condition, reason };
  const hashes = Array.from({ length: path.length / 32 }, (_, at) => path.subarray(32 * at, 32 * at + 32));
  const root = await rootAlong(await handoverEntryHash(statement.nonce, entry), index, parcelsIn(statement), hashes);
  return root !== undefined && encodeBase64url(root) === statement.listHash;
}
