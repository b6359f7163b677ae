import { base64url, framed, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";

export const site = keyNamed("a site's agent");
export const company = keyNamed("a courier");
export const driver = keyNamed("a driver");
export const stranger = keyNamed("a stranger");
export const siteId = "site_83652b_0x2mdk3v9c";
export const courierId = "par_w8ase5n2ehjkbmbe";
export const companyKeyId = "key_live_4c6qfd1mz0t8x2vh";
export const atMs = 1_795_518_000_000;

export interface Entry {
  reservation_id: string;
  label_code: string;
  condition: string;
  reason: string;
}

export interface List {
  version: number;
  site_id: string;
  direction: string;
  courier_id: string;
  nonce: string;
  at_ms: number;
  entries: Entry[];
}

/** A parcel with a reservation, or, with a text that is none, by its label. */
export function entry(parcel: number | string, condition = "OK", reason = ""): Entry {
  const [reservationId, labelCode] = typeof parcel === "number" ? [`res_83652b_${String(parcel).padStart(16, "0")}`, ""] : ["", parcel];
  return { reservation_id: reservationId, label_code: labelCode, condition, reason };
}

export function listOf(entries: Entry[], changes: Partial<List> = {}): List {
  return {
    version: 1,
    site_id: siteId,
    direction: "IN",
    courier_id: courierId,
    nonce: nonceNamed("a list"),
    at_ms: atMs,
    entries,
    ...changes,
  };
}

export function nonceNamed(name: string): string {
  return base64url(sha256(name).subarray(0, 16));
}

export function entryHash(nonce: string, one: Entry): Buffer {
  return sha256(framed("petak-handover-entry", nonce, JSON.stringify(one)));
}

/** The hash of a list, and the neighbours on the way from the entry at `index` to it. */
function treeOf({ nonce, entries }: List, index = 0): { root: Buffer; path: Buffer[] } {
  const path: Buffer[] = [];
  let level = entries.map((one) => entryHash(nonce, one));
  for (let at = index; level.length > 1; at >>= 1) {
    path.push(...level.slice(at ^ 1, (at ^ 1) + 1));
    const pairs = level.flatMap((_, left) => (left % 2 === 0 ? [level.slice(left, left + 2)] : []));
    level = pairs.map((pair) => (pair.length === 1 ? Buffer.concat(pair) : sha256(Buffer.concat([Buffer.from([1]), ...pair]))));
  }
  return { root: Buffer.concat(level), path };
}

export function listHash(list: List): string {
  return base64url(treeOf(list).root);
}

/** What shows that the entry at `index` is in a list, behind the signatures. */
export function pathText(list: List, index: number): string {
  const { condition = "", reason = "" } = list.entries[index] ?? {};
  return [index, condition, reason, base64url(Buffer.concat(treeOf(list, index).path))].join("~");
}

export function claimsOf(list: List): Record<string, unknown> {
  const count = (condition: string) => list.entries.filter((one) => one.condition === condition).length;
  const { site_id, direction, courier_id, nonce, at_ms } = list;
  const counts = { ok: count("OK"), damaged: count("DAMAGED"), refused: count("REFUSED") };
  return { version: 1, site_id, direction, courier_id, nonce, at_ms, ...counts, list_hash: listHash(list) };
}

/** The signing input of a compact JWS. Header and claims as JSON, or as texts. */
export function compact(header: object | string, claims: object | string): string {
  return [header, claims].map((part) => base64url(typeof part === "string" ? part : JSON.stringify(part))).join(".");
}

export function jws(header: object | string, claims: object | string, key: VectorKey): string {
  const text = compact(header, claims);
  return `${text}.${base64url(signText(text, key))}`;
}

export function headerOf(side: "site" | "courier", { publicKey }: VectorKey): object {
  return { alg: "EdDSA", typ: `petak-handover-${side}`, kid: base64url(publicKey) };
}

export function siteStatement(list: List, claims: object = {}, header: object = {}, key = site): string {
  return jws({ ...headerOf("site", key), ...header }, { ...claimsOf(list), ...claims }, key);
}

const certificateClaims = {
  version: 1,
  courier_id: courierId,
  x: base64url(driver.publicKey),
  site_id: "",
  nbf: atMs / 1000 - 3600,
  exp: atMs / 1000 + 9 * 3600,
};

export function certificate(claims: object = {}, header: object = {}, key = company): string {
  return jws({ alg: "EdDSA", typ: "petak-driver", kid: companyKeyId, ...header }, { ...certificateClaims, ...claims }, key);
}

export interface AnswerChanges {
  certificate?: string;
  key?: VectorKey;
  header?: object;
  listHash?: string;
}

export function courierCode(list: List, changes: AnswerChanges = {}): string {
  const {
    certificate: certified = certificate(),
    key = driver,
    header = headerOf("courier", key),
    listHash: hash = listHash(list),
  } = changes;
  return ["petak-handover", hash, base64url(signText(compact(header, claimsOf(list)), key)), certified].join("~");
}
