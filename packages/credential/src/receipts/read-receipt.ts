import { decodeBase64url } from "../bytes/base64url.ts";
import { decodeText, isRecord, parseCanonicalJson } from "../jws/canonical-json.ts";
import { issuerKeyIdLength } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { receiptType } from "./receipt.ts";
import { type ReceiptClaims, receiptVersion } from "./receipt-claims.ts";

/** A receipt taken apart. Nothing of it is believed yet. */
export interface ReadReceipt {
  readonly keyId: string;
  readonly claims: ReceiptClaims;
  /** The text that is signed. */
  readonly signed: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Takes a receipt apart, or says why it is none. */
export function readReceipt(jws: string): ReadReceipt | string {
  const [header64 = "", claims64 = "", signature64 = "", ...rest] = jws.split(".");
  if (rest.length > 0) return "it has not three segments";
  const header = parseCanonicalJson(decodeText(header64));
  const signature = decodeBase64url(signature64);
  if (!isRecord(header) || Object.keys(header).join() !== "alg,typ,kid") return "its header is not alg, typ and kid in their one spelling";
  if (header.alg !== tokenAlgorithm) return `its alg is not "${tokenAlgorithm}"`;
  if (header.typ !== receiptType) return `its typ is not "${receiptType}"`;
  const { kid } = header;
  if (typeof kid !== "string" || kid.length !== issuerKeyIdLength) return `its kid has not ${issuerKeyIdLength} characters`;
  if (signature?.length !== 64) return "its signature is not 64 bytes in base64url in their one spelling";
  const claims = parseCanonicalJson(decodeText(claims64));
  const wrong = whatIsWrong(claims, form, "its claims");
  if (wrong !== undefined) return wrong;
  return { keyId: kid, claims: claims as ReceiptClaims, signed: `${header64}.${claims64}`, signature };
}

/** How a member must be: of a type, or an object of members in this order; `orNull` where there may be none. */
type Form = "text" | "count" | "flag" | { readonly orNull: true; readonly members: Readonly<Record<string, Form>> };

const party: Form = { orNull: true, members: { kind: "text", participant_id: "text" } };

const form: Readonly<Record<keyof ReceiptClaims, Form>> = {
  version: "count",
  number: "count",
  previous: "text",
  continues: "text",
  act: "text",
  given_by: party,
  received_by: party,
  event_id: "text",
  schema_version: "count",
  occurred_at_ms: "count",
  recorded_at_ms: "count",
  actor: party,
  reservation_id: "text",
  revision: "count",
  state_before: "text",
  state_after: "text",
  purpose: "text",
  site_id: "text",
  operator_id: "text",
  participant_id: "text",
  partner_reference: "text",
  is_test: "flag",
  bundle_id: "text",
  proof: {
    orNull: true,
    members: {
      kind: "text",
      credential_hash: "text",
      parent_credential_hash: "text",
      compartment_id: "text",
      offline: "flag",
      agent_key_id: "text",
      device_sequence: "count",
    },
  },
  report: {
    orNull: true,
    members: { act: "text", delegated: "flag", bundle_id: "text", device_event_id: "text", public_key: "text", signature: "text" },
  },
  countersignature: {
    orNull: true,
    members: { number: "count", receipt: "text", key_id: "text", public_key: "text", signature: "text" },
  },
};

function whatIsWrong(value: unknown, members: Readonly<Record<string, Form>>, where: string): string | undefined {
  if (!isRecord(value)) return `${where} are no JSON object in its one spelling`;
  if (Object.keys(value).join() !== Object.keys(members).join()) return `${where} are not ${Object.keys(members).join(", ")}`;
  if (where === "its claims" && value.version !== receiptVersion) return `its version is not ${receiptVersion}`;
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
