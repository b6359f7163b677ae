import { createPublicKey, verify } from "node:crypto";
import { type CloudEventV1, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import type { Received } from "./receiver.ts";

/** A key for the library, which supports `v1` only. It signs nothing that is sent. */
const libraryKey = "whsec_cGV0YWsgdGVzdHMgdmVyaWZ5IHdpdGggdGhlIGxpYnJhcnk=";

/** DER prefix of an Ed25519 public key in SPKI (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** Whether a signature `v1a,…` over some content verifies with a public key `whpk_…`. */
export function isSignatureOf(signature: string, publicKey: string, content: string): boolean {
  const key = createPublicKey({
    key: Buffer.concat([spkiHead, Buffer.from(publicKey.slice("whpk_".length), "base64")]),
    format: "der",
    type: "spki",
  });
  const [version, bytes = ""] = signature.split(",");
  return version === "v1a" && verify(null, Buffer.from(content), key, Buffer.from(bytes, "base64"));
}

/**
 * Verifies a delivery as a receiver must, and returns the event. The library `standardwebhooks` does not support `v1a` yet, so it checks what both forms
 * share: the three headers, the time, the signed content, and that unknown forms are ignored. The `cloudevents` SDK must accept the event.
 *
 * @throws {Error} if any check fails
 */
export function verifyDelivery({ headers, body }: Pick<Received, "headers" | "body">, publicKey: string): CloudEventV1<unknown> {
  const id = String(headers["webhook-id"]);
  const timestamp = String(headers["webhook-timestamp"]);
  const signatures = String(headers["webhook-signature"]).split(" ");
  if (!signatures.some((signature) => isSignatureOf(signature, publicKey, `${id}.${timestamp}.${body}`))) {
    throw new Error(`none of ${signatures.length} signatures is of ${publicKey}`);
  }
  const library = new Webhook(libraryKey);
  const known = library.sign(id, new Date(Number(timestamp) * 1000), body);
  library.verify(body, {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": [...signatures, known].join(" "),
  });
  const event = HTTP.toEvent<unknown>({ headers: headers as Record<string, string>, body });
  if (Array.isArray(event)) throw new Error("a batch, where one event was expected");
  return event;
}
