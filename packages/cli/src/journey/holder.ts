import type { Agent, TokenShown } from "@petak/agent";
import { generateKeyPair } from "@petak/client";
import { provePresence } from "@petak/credential";

/** Somebody with a key in their telephone. */
export interface Holder {
  /** What a token is bound to: 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Asks a terminal for a challenge, as the telephone does over Bluetooth, and signs it for a token. */
  prove(agent: Agent, token: string): Promise<TokenShown>;
}

/** Makes a key for somebody. It lasts as long as the process. */
export async function newHolder(): Promise<Holder> {
  const { privateJwk, publicKey } = await generateKeyPair();
  return {
    publicKey,
    async prove(agent, token) {
      const { challenge } = agent.challenge();
      return { token, presence: await provePresence({ token, challenge, privateJwk }) };
    },
  };
}
