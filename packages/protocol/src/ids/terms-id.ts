import { toBinary } from "@bufbuild/protobuf";
import { type Terms, TermsSchema } from "../gen/petak/v1/terms_pb.ts";
import { bytesToBase32 } from "./base32.ts";

/** Characters of a terms id after its prefix, five bits each. */
const termsIdLength = 16;

/**
 * Computes the id of terms: 80 bits of the SHA-256 of their content. Equal terms have equal ids at every gateway, and anybody with the
 * terms can compute it. The id within the terms and unknown fields are ignored.
 */
export async function termsIdOf(terms: Terms): Promise<string> {
  const bytes = toBinary(TermsSchema, { ...terms, termsId: "" }, { writeUnknownFields: false });
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `terms_${bytesToBase32(new Uint8Array(digest, 0, termsIdLength))}`;
}
