import { decodeBase64url } from "../bytes/base64url.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { issuerKeyIdLength } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** A parsed JWS of an issuer, not verified yet. */
export interface ReadSigned<Claims> {
  readonly keyId: string;
  readonly claims: Claims;
  /** The signing input. */
  readonly signed: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Members of an object, in this order. */
type Members = Readonly<Record<string, Form>>;

/** Form of a member: a type, or an object with these members in this order, and behind them any of the optional ones, in their order, or null. */
export type Form = "text" | "count" | "flag" | { readonly orNull: true; readonly members: Members; readonly optional?: Members };

/** Form of a kind of JWS. */
export interface SignedForm<Claims> {
  /** The header's `typ`. */
  readonly type: string;
  readonly version: number;
  readonly members: Readonly<Record<keyof Claims & string, Form>>;
}

/** Parses a compact JWS of an issuer, or returns why it does not have the form. */
export function readSigned<Claims>(jws: string, form: SignedForm<Claims>): ReadSigned<Claims> | string {
  const [header64 = "", claims64 = "", signature64 = "", ...rest] = jws.split(".");
  if (rest.length > 0) return "it does not have three segments";
  const header = parseCanonicalJson(decodeText(header64));
  const signature = decodeBase64url(signature64);
  if (!isRecord(header) || Object.keys(header).join() !== "alg,typ,kid") return "its header is not alg, typ and kid in canonical form";
  if (header.alg !== tokenAlgorithm) return `its alg is not "${tokenAlgorithm}"`;
  if (header.typ !== form.type) return `its typ is not "${form.type}"`;
  const { kid } = header;
  if (typeof kid !== "string" || kid.length !== issuerKeyIdLength) return `its kid does not have ${issuerKeyIdLength} characters`;
  if (signature?.length !== 64) return "its signature is not 64 bytes in canonical base64url";
  const claims = parseCanonicalJson(decodeText(claims64));
  const wrong = whatIsWrong(claims, form.members, "its claims", form.version);
  if (wrong !== undefined) return wrong;
  return { keyId: kid, claims: claims as Claims, signed: `${header64}.${claims64}`, signature };
}

function whatIsWrong(value: unknown, members: Members, where: string, version?: number): string | undefined {
  if (!isRecord(value)) return `${where} are not a JSON object in canonical form`;
  if (Object.keys(value).join() !== Object.keys(members).join()) return `${where} are not ${Object.keys(members).join(", ")}`;
  if (version !== undefined && value.version !== version) return `its version is not ${version}`;
  for (const [name, wanted] of Object.entries(members)) {
    const member = value[name];
    if (typeof wanted === "object") {
      const optional = Object.entries(wanted.optional ?? {}).filter(([one]) => isRecord(member) && one in member);
      const expected = { ...wanted.members, ...Object.fromEntries(optional) };
      const wrong = member === null ? undefined : whatIsWrong(member, expected, `the members of its ${name}`);
      if (wrong !== undefined) return wrong;
    } else if (!isOf(member, wanted)) return `its ${name} is not a ${wanted}`;
  }
  return undefined;
}

function isOf(value: unknown, type: Form & string): boolean {
  if (type === "text") return typeof value === "string";
  if (type === "flag") return typeof value === "boolean";
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
