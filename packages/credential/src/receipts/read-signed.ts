import { decodeBase64url } from "../bytes/base64url.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { issuerKeyIdLength } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** What an issuer signed, taken apart. Nothing of it is believed yet. */
export interface ReadSigned<Claims> {
  readonly keyId: string;
  readonly claims: Claims;
  /** The text that is signed. */
  readonly signed: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** How a member must be: of a type, or an object of members in this order; `orNull` where there may be none. */
export type Form = "text" | "count" | "flag" | { readonly orNull: true; readonly members: Readonly<Record<string, Form>> };

/** What an issuer signs, of one type. */
export interface SignedForm<Claims> {
  /** The header's `typ`. */
  readonly type: string;
  readonly version: number;
  readonly members: Readonly<Record<keyof Claims & string, Form>>;
}

/** Takes a compact JWS of an issuer apart, or says why it is none of that form. */
export function readSigned<Claims>(jws: string, form: SignedForm<Claims>): ReadSigned<Claims> | string {
  const [header64 = "", claims64 = "", signature64 = "", ...rest] = jws.split(".");
  if (rest.length > 0) return "it has not three segments";
  const header = parseCanonicalJson(decodeText(header64));
  const signature = decodeBase64url(signature64);
  if (!isRecord(header) || Object.keys(header).join() !== "alg,typ,kid") return "its header is not alg, typ and kid in their one spelling";
  if (header.alg !== tokenAlgorithm) return `its alg is not "${tokenAlgorithm}"`;
  if (header.typ !== form.type) return `its typ is not "${form.type}"`;
  const { kid } = header;
  if (typeof kid !== "string" || kid.length !== issuerKeyIdLength) return `its kid has not ${issuerKeyIdLength} characters`;
  if (signature?.length !== 64) return "its signature is not 64 bytes in base64url in their one spelling";
  const claims = parseCanonicalJson(decodeText(claims64));
  const wrong = whatIsWrong(claims, form.members, "its claims", form.version);
  if (wrong !== undefined) return wrong;
  return { keyId: kid, claims: claims as Claims, signed: `${header64}.${claims64}`, signature };
}

function whatIsWrong(value: unknown, members: Readonly<Record<string, Form>>, where: string, version?: number): string | undefined {
  if (!isRecord(value)) return `${where} are no JSON object in its one spelling`;
  if (Object.keys(value).join() !== Object.keys(members).join()) return `${where} are not ${Object.keys(members).join(", ")}`;
  if (version !== undefined && value.version !== version) return `its version is not ${version}`;
  for (const [name, wanted] of Object.entries(members)) {
    const member = value[name];
    if (typeof wanted === "object") {
      const wrong = member === null ? undefined : whatIsWrong(member, wanted.members, `the members of its ${name}`);
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
