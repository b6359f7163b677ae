import { createPublicKey, verify } from "node:crypto";
import { type CloudEventV1, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import type { Received } from "./receiver.ts";

/** A key for the part of the library that knows `v1` only. It signs nothing that is sent. */
const libraryKey = "whsec_cGV0YWsgdGVzdHMgdmVyaWZ5IHdpdGggdGhlIGxpYnJhcnk=";

/** What stands before the 32 bytes of an Ed25519 public key in SPKI (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** Whether a signature, `v1a,…`, is that of a public key, `whpk_…`, over some content. */
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
 * Checks a delivery as its receiver must, and gives the event. The library `standardwebhooks` knows `v1` and not `v1a` yet, so its part is what
 * the two have in common: it must read the three headers, find the time fit, sign the very content that the Ed25519 signature is of, and pass over
 * the form that it does not know. The `cloudevents` SDK must find the event valid.
 *
 * @throws {Error} where anything is wrong
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
