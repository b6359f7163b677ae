import { createHmac, timingSafeEqual } from "node:crypto";
import type { AgentEpoch } from "@petak/protocol";
import type { GatewaySecrets } from "./gateway-secrets.ts";

/** An agent's key at its site. */
interface ProvenAgent {
  siteId: string;
  keyId: string;
}

/**
 * Proofs that the gateways of a store gave an epoch to an agent. They need nothing of the store, so that one that was restored from a backup is not asked what it has
 * lost.
 */
export interface EpochProofs {
  /** The proof of an epoch: 38 bytes, which nobody but the gateways can make or read. */
  prove(agent: ProvenAgent, epoch: Pick<AgentEpoch, "number" | "nonce">, givenAtMs: number): Uint8Array<ArrayBuffer>;
  /** When an epoch was given, in ms since 1970, by the clock of the gateway that gave it. Undefined: it has no proof, or a wrong one. */
  givenAtMs(agent: ProvenAgent, epoch: Pick<AgentEpoch, "number" | "nonce" | "proof">): number | undefined;
}

const timeBytes = 6;

/** Makes proofs by the secret that all gateways of a store share. */
export function createEpochProofs({ derivationKey }: Pick<GatewaySecrets, "derivationKey">): EpochProofs {
  function macOf({ siteId, keyId }: ProvenAgent, { number, nonce }: Pick<AgentEpoch, "number" | "nonce">, time: Uint8Array): Buffer {
    const text = `petak epoch\0${siteId}\0${keyId}\0${number}\0`;
    return createHmac("sha256", derivationKey).update(text).update(time).update(nonce).digest();
  }

  return {
    prove(agent, epoch, givenAtMs) {
      const time = Buffer.alloc(timeBytes);
      time.writeUIntBE(givenAtMs, 0, timeBytes);
      return new Uint8Array(Buffer.concat([time, macOf(agent, epoch, time)]));
    },
    givenAtMs(agent, { proof, ...epoch }) {
      const time = Buffer.from(proof.subarray(0, timeBytes));
      const mac = macOf(agent, epoch, time);
      if (proof.length !== timeBytes + mac.length || !timingSafeEqual(proof.subarray(timeBytes), mac)) return undefined;
      return time.readUIntBE(0, timeBytes);
    },
  };
}
