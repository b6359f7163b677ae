import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { signEd25519 } from "../keys/ed25519.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { verifyText } from "../keys/verify-text.ts";
import {
  type HandoverCondition,
  type HandoverList,
  type HandoverReason,
  handoverEntryHashes,
  inHandoverOrder,
  isCondition,
  isReasonOf,
} from "./list.ts";
import { handoverText, parcelsIn, readSiteStatement, type SignedStatement, statementOf } from "./statement.ts";

/** The longest code of either side, in characters: what a phone scans from a tablet with ease. */
export const handoverCodeMaxLength = 800;

/** Length of a mark: the first bytes of an entry's hash. */
const markLength = 2;
const encoder = new TextEncoder();

/** The condition of an entry that is not OK. */
export interface HandoverException {
  readonly condition: HandoverCondition;
  readonly reason: HandoverReason;
}

/** What the site's code says beside what it signs, so that the courier finds a difference. */
export interface HandoverMarks {
  /** For each entry of the list, the first 2 bytes of its hash. */
  readonly marks: readonly number[];
  /** By their index in the list: the entries that are not OK. */
  readonly exceptions: ReadonlyMap<number, HandoverException>;
}

/** The code that a site shows. */
export interface SiteCode extends SignedStatement {
  /** Undefined: the list is too long for one code. */
  readonly marks: HandoverMarks | undefined;
}

/** Signs a list for the site: a compact JWS. @param publicKey the agent's, 32 bytes */
export async function signSiteStatement(key: SigningKey, publicKey: Uint8Array, list: HandoverList): Promise<string> {
  const text = handoverText("site", publicKey, await statementOf(list));
  return `${text}.${encodeBase64url(await signEd25519(key, encoder.encode(text)))}`;
}

/** The code that a site shows: its statement, with the marks of the entries if there is room for them. */
export async function siteCode(siteStatement: string, list: HandoverList): Promise<string> {
  const hashes = await handoverEntryHashes(list);
  const marks = encodeBase64url(Uint8Array.from(hashes.flatMap((hash) => [...hash.subarray(0, markLength)])));
  const exceptions = inHandoverOrder(list.entries).flatMap(({ condition, reason }, index) =>
    condition === "OK" ? [] : [`${index}.${condition}.${reason}`],
  );
  const code = `${siteStatement}~${marks}~${exceptions.join(",")}`;
  return code.length <= handoverCodeMaxLength ? code : siteStatement;
}

/** Reads a site's code and verifies its signature under the key that it names; whose key that is, the caller must know. */
export async function readSiteCode(code: string): Promise<SiteCode | "form" | "typ" | "claims" | "site_signature"> {
  const [statementText = "", marks64, exceptions, ...rest] = code.split("~");
  if (code.length > handoverCodeMaxLength || rest.length > 0) return "form";
  const signed = readSiteStatement(statementText);
  if (typeof signed === "string") return signed;
  if (!(await verifyText(signed.siteKey, signed.signature, signed.signed))) return "site_signature";
  if (marks64 === undefined) return { ...signed, marks: undefined };
  const marks = readMarks(marks64, exceptions ?? "-", parcelsIn(signed.statement));
  return marks === undefined ? "form" : { ...signed, marks };
}

function readMarks(marks64: string, exceptionsText: string, count: number): HandoverMarks | undefined {
  const bytes = decodeBase64url(marks64);
  if (bytes?.length !== count * markLength) return undefined;
  const exceptions = new Map<number, HandoverException>();
  for (const text of exceptionsText === "" ? [] : exceptionsText.split(",")) {
    const [index64 = "", condition, reason, ...rest] = text.split(".");
    const index = Number(index64);
    const isNext =
      /^\d{1,3}$/.test(index64) && String(index) === index64 && index < count && ![...exceptions.keys()].some((before) => before >= index);
    if (!isNext || rest.length > 0 || !isCondition(condition) || condition === "OK" || !isReasonOf(condition, reason)) return undefined;
    exceptions.set(index, { condition, reason });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { marks: Array.from({ length: count }, (_, index) => view.getUint16(index * markLength)), exceptions };
}
