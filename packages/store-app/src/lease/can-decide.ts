/** A key of which only its form matters: the base point of the curve. */
const somePublicKey = new Uint8Array(32).fill(0x66);
somePublicKey[0] = 0x58;

/** Whether this page can verify tokens: it is served by HTTPS, and the browser knows Ed25519. */
export async function canDecide(): Promise<boolean> {
  try {
    await crypto.subtle.importKey("raw", somePublicKey, "Ed25519", false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}
