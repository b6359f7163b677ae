import { createPublicKey, randomBytes, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";

/** What stands before the 32 bytes of an Ed25519 public key in the form that Node reads (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** Reads a key as the gateway shows it, `whpk_…`. */
function readPublicKey(text: string) {
  const bytes = Buffer.from(text.replace(/^whpk_/, ""), "base64");
  return createPublicKey({ key: Buffer.concat([spkiHead, bytes]), format: "der", type: "spki" });
}

/**
 * Verifies a webhook and gives its event. Throws where anything is wrong with it.
 *
 * @param publicKeys the endpoint's keys, `whpk_…`: one, or the old and the new while they change
 * @param body exactly as it came, before anybody parsed it
 */
export function verifyWebhook(publicKeys: readonly string[], headers: IncomingHttpHeaders, body: string): unknown {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => String(headers[name] ?? ""));
  const signed = Buffer.from(`${id}.${timestamp}.${body}`);
  const isGood = signatures?.split(" ").some((signature) => {
    const [form, bytes = ""] = signature.split(",");
    return form === "v1a" && publicKeys.some((key) => verify(null, signed, readPublicKey(key), Buffer.from(bytes, "base64")));
  });
  if (isGood !== true) throw new Error("the signature is of none of the keys");
  // The library knows no v1a yet. What is left is its own: that the webhook is not older than five minutes, and its JSON.
  const library = new Webhook(randomBytes(32).toString("base64"));
  const known = library.sign(id ?? "", new Date(Number(timestamp) * 1000), body);
  return library.verify(body, { "webhook-id": id ?? "", "webhook-timestamp": timestamp ?? "", "webhook-signature": known });
}
