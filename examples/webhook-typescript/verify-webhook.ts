import { createPublicKey, randomBytes, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";

/** The prefix of a 32-byte Ed25519 public key in the form that Node reads (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/** Reads a key in the gateway's form, `whpk_…`. */
function readPublicKey(text: string) {
  const bytes = Buffer.from(text.replace(/^whpk_/, ""), "base64");
  return createPublicKey({ key: Buffer.concat([spkiHead, bytes]), format: "der", type: "spki" });
}

/**
 * Verifies a webhook and returns its event. Throws if anything is wrong.
 *
 * @param publicKeys the endpoint's keys, `whpk_…`: one, or during a rotation the old and the new
 * @param body exactly as received, before any parsing
 */
export function verifyWebhook(publicKeys: readonly string[], headers: IncomingHttpHeaders, body: string): unknown {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => String(headers[name] ?? ""));
  const signed = Buffer.from(`${id}.${timestamp}.${body}`);
  const isGood = signatures?.split(" ").some((signature) => {
    const [form, bytes = ""] = signature.split(",");
    return form === "v1a" && publicKeys.some((key) => verify(null, signed, readPublicKey(key), Buffer.from(bytes, "base64")));
  });
  if (isGood !== true) throw new Error("the signature is of none of the keys");
  // The library does not support v1a yet. It checks the rest: that the webhook is at most five minutes old, and the JSON.
  const library = new Webhook(randomBytes(32).toString("base64"));
  const known = library.sign(id ?? "", new Date(Number(timestamp) * 1000), body);
  return library.verify(body, { "webhook-id": id ?? "", "webhook-timestamp": timestamp ?? "", "webhook-signature": known });
}
