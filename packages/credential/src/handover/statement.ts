import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { compactText } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../jws/token-algorithm.ts";
import {
  countConditions,
  type HandoverCondition,
  type HandoverDirection,
  type HandoverList,
  handoverListHash,
  handoverMaxEntries,
  isCourier,
  isDirection,
  isHandoverSite,
  isNonce,
  isTimeMs,
} from "./list.ts";

/** The `typ` of what each side signs. */
export const handoverTypes = { site: "petak-handover-site", courier: "petak-handover-courier" } as const;

/** What both sides sign of a list. */
export interface HandoverStatement {
  readonly siteId: string;
  readonly direction: HandoverDirection;
  readonly courierId: string;
  readonly nonce: string;
  readonly atMs: number;
  /** How many entries of each condition. */
  readonly counts: Readonly<Record<HandoverCondition, number>>;
  /** See {@link handoverListHash}. */
  readonly listHash: string;
}

/** A statement as the site signed it. */
export interface SignedStatement {
  readonly statement: HandoverStatement;
  /** The site's key, as the statement names it: 32 bytes. */
  readonly siteKey: Bytes;
  readonly signature: Bytes;
  /** The signed text. */
  readonly signed: string;
}

/** What both sides sign of a list. */
export async function statementOf(list: HandoverList): Promise<HandoverStatement> {
  const { siteId, direction, courierId, nonce, atMs, entries } = list;
  return { siteId, direction, courierId, nonce, atMs, counts: countConditions(entries), listHash: await handoverListHash(list) };
}

/** How many parcels a statement is about. */
export function parcelsIn({ counts }: Pick<HandoverStatement, "counts">): number {
  return counts.OK + counts.DAMAGED + counts.REFUSED;
}

/** The text that a side signs: the signing input of a compact JWS, whose `kid` is the public key itself. */
export function handoverText(side: keyof typeof handoverTypes, publicKey: Uint8Array, statement: HandoverStatement): string {
  return compactText({ alg: tokenAlgorithm, typ: handoverTypes[side], kid: encodeBase64url(publicKey) }, statementMembers(statement));
}

/** Reads a compact JWS of the site, without verifying it. Returns what is wrong with its form if it is none. */
export function readSiteStatement(text: string): SignedStatement | "form" | "typ" | "claims" {
  const [header64 = "", claims64 = "", signature64 = "", ...rest] = text.split(".");
  const header = parseCanonicalJson(decodeText(header64));
  const claims = parseCanonicalJson(decodeText(claims64));
  const signature = decodeBase64url(signature64);
  if (rest.length > 0 || !isRecord(header) || !isRecord(claims) || signature?.length !== 64) return "form";
  if (header.alg !== tokenAlgorithm || header.typ !== handoverTypes.site) return "typ";
  const siteKey = typeof header.kid === "string" ? decodeBase64url(header.kid) : undefined;
  if (Object.keys(header).join() !== "alg,typ,kid" || siteKey?.length !== 32) return "form";
  const statement = readMembers(claims);
  return statement === undefined ? "claims" : { statement, siteKey, signature, signed: `${header64}.${claims64}` };
}

function statementMembers({ siteId, direction, courierId, nonce, atMs, counts, listHash }: HandoverStatement): object {
  return {
    version: 1,
    site_id: siteId,
    direction,
    courier_id: courierId,
    nonce,
    at_ms: atMs,
    ok: counts.OK,
    damaged: counts.DAMAGED,
    refused: counts.REFUSED,
    list_hash: listHash,
  };
}

function readMembers(claims: Record<string, unknown>): HandoverStatement | undefined {
  const { site_id, direction, courier_id, nonce, at_ms, ok, damaged, refused, list_hash } = claims;
  if (Object.keys(claims).join() !== "version,site_id,direction,courier_id,nonce,at_ms,ok,damaged,refused,list_hash") return undefined;
  if (claims.version !== 1 || !isHandoverSite(site_id) || !isDirection(direction) || !isCourier(courier_id)) return undefined;
  if (!isNonce(nonce) || !isTimeMs(at_ms) || !isCount(ok) || !isCount(damaged) || !isCount(refused)) return undefined;
  const total = ok + damaged + refused;
  if (total === 0 || total > handoverMaxEntries || !isHash(list_hash)) return undefined;
  const counts = { OK: ok, DAMAGED: damaged, REFUSED: refused };
  return { siteId: site_id, direction, courierId: courier_id, nonce, atMs: at_ms, counts, listHash: list_hash };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= handoverMaxEntries;
}

/** Whether a value is 32 bytes in base64url. */
export function isHash(value: unknown): value is string {
  return typeof value === "string" && decodeBase64url(value)?.length === 32;
}
