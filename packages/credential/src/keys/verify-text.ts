import { verifyEd25519 } from "./ed25519.ts";
import { isLowOrderPoint } from "./low-order.ts";

const encoder = new TextEncoder();

/** Whether a signature over a text is valid under a public key. False for keys of low order. */
export async function verifyText(publicKey: Uint8Array, signature: Uint8Array, text: string): Promise<boolean> {
  return !isLowOrderPoint(publicKey) && (await verifyEd25519(publicKey, signature, encoder.encode(text)));
}
