import { generateKeyPair, holderKeyHash, provePresence } from "@petak/credential";
import type { Agent } from "../agent.ts";
import type { TokenShown } from "../decision/snapshot.ts";

/** A person with a key in their telephone. The key is kept in memory only. */
export interface SimulatedHolder {
  /** The holder's public key: 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The key's hash in tokens. */
  readonly keyHash: string;
  /**
   * Presents a token with a presence proof, as the telephone does over Bluetooth.
   *
   * @param how the challenge to sign (default: a new one of the terminal), and the door to open with a token for SERVICE
   */
  show(
    terminal: { readonly agent: Pick<Agent, "challenge"> },
    token: string,
    how?: { challenge?: string; compartmentId?: string },
  ): Promise<TokenShown>;
}

/** Makes a holder with a new key. */
export async function newHolder(): Promise<SimulatedHolder> {
  const { privateJwk, publicKey } = await generateKeyPair();
  return {
    publicKey,
    keyHash: await holderKeyHash(publicKey),
    async show({ agent }, token, { challenge = agent.challenge().challenge, ...door } = {}) {
      return { token, presence: await provePresence({ token, challenge, privateJwk, ...door }), ...door };
    },
  };
}
