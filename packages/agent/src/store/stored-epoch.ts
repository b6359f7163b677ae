import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type AgentEpoch, AgentEpochSchema } from "@petak/protocol";
import type { Facts, Numbers, Transaction } from "./values.ts";

/** The agent's epoch on disk: what tells it from a copy of that disk. */
export interface StoredEpoch {
  /** The epoch that the agent holds. Undefined: none. */
  held(): AgentEpoch | undefined;
  /** The nonce by which the agent asks for an epoch: the same until one was given, also after a restart. */
  bootNonce(): Uint8Array<ArrayBuffer>;
  /** Records the epoch that was given for a nonce. */
  give(epoch: AgentEpoch): void;
  /** Whether the gateway has refused this agent since it last served it, because another one is in charge. */
  isRefused(): boolean;
  setRefused(isRefused: boolean): void;
}

/** Makes the epoch of a store. */
export function createStoredEpoch({
  facts,
  numbers,
  transaction,
}: {
  facts: Facts;
  numbers: Numbers;
  transaction: Transaction;
}): StoredEpoch {
  return {
    held() {
      const [number, nonce] = [numbers.read("epoch") ?? 0, facts.read("epoch_nonce")];
      const proof = facts.read("epoch_proof") ?? new Uint8Array();
      return number === 0 || nonce === undefined ? undefined : create(AgentEpochSchema, { number, nonce, proof });
    },
    bootNonce() {
      const asked = facts.read("boot_nonce");
      if (asked !== undefined && asked.length > 0) return new Uint8Array(asked);
      const nonce = new Uint8Array(randomBytes(16));
      facts.write("boot_nonce", nonce);
      return nonce;
    },
    give({ number, nonce, proof }) {
      transaction(() => {
        numbers.write("epoch", number);
        facts.write("epoch_nonce", nonce);
        facts.write("epoch_proof", proof);
        facts.write("boot_nonce", new Uint8Array());
      });
    },
    isRefused: () => numbers.read("refused") === 1,
    setRefused(isRefused) {
      if ((numbers.read("refused") === 1) !== isRefused) numbers.write("refused", isRefused ? 1 : 0);
    },
  };
}
