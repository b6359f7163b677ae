import { createHash } from "node:crypto";

/** Namespace of the UUIDs: a fixed random UUID. */
const namespace = Buffer.from("6d6f3b0e2f5d4d0e9a0b5f6c1f0a7d31", "hex");

/**
 * The UUID (version 5, RFC 9562) of a name. Used as an idempotency key, so that an interrupted start can be repeated.
 */
export function namedUuid(...parts: string[]): string {
  const bytes = createHash("sha1").update(namespace).update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
