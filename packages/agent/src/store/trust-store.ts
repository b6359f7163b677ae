import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { withoutRevoked } from "@petak/credential";
import { TrustBundleSchema } from "@petak/protocol";
import type { Facts, Numbers, Transaction } from "./values.ts";

/** What an agent knows of its operator's root key. None of it ever goes back: who can make the agent forget could make it believe. */
export interface TrustStore {
  /** The operator's root key, 32 bytes. Undefined: the agent knows none, and believes issuer keys without certificates. */
  rootKey(): Uint8Array | undefined;
  /** Pins a root key. Another than before ends the trust bundle, which came from before. */
  pinRoot(rootKey: Uint8Array): void;
  /** Ends issuer keys for good, also in the trust bundle. Returns how many of them were not ended yet. */
  revoke(publicKeys: readonly Uint8Array[]): number;
  isRevoked(publicKey: Uint8Array): boolean;
  /** The latest time at which the root certified a key that the agent has, in ms since 1970: it has certainly passed. 0: none. */
  certifiedAtMs(): number;
  saveCertifiedAt(certifiedAtMs: number): void;
}

export function createTrustStore(
  database: DatabaseSync,
  { facts, numbers, transaction }: { facts: Facts; numbers: Numbers; transaction: Transaction },
): TrustStore {
  const sql = {
    revoke: database.prepare("INSERT OR IGNORE INTO revoked_issuer_key (public_key) VALUES (?)"),
    isRevoked: database.prepare("SELECT 1 FROM revoked_issuer_key WHERE public_key = ?"),
    endBundle: database.prepare("DELETE FROM fact WHERE name = 'trust_bundle'"),
  };
  const isRevoked = (publicKey: Uint8Array) => sql.isRevoked.get(publicKey) !== undefined;
  return {
    rootKey: () => facts.read("root_key"),
    pinRoot(rootKey) {
      const before = facts.read("root_key");
      if (before !== undefined && Buffer.compare(before, rootKey) === 0) return;
      transaction(() => {
        facts.write("root_key", rootKey);
        sql.endBundle.run();
      });
    },
    revoke: (publicKeys) =>
      transaction(() => {
        const ended = publicKeys.reduce((sum, publicKey) => sum + Number(sql.revoke.run(publicKey).changes), 0);
        const held = facts.read("trust_bundle");
        if (ended > 0 && held !== undefined) {
          const left = withoutRevoked(fromBinary(TrustBundleSchema, held), isRevoked);
          facts.write("trust_bundle", toBinary(TrustBundleSchema, left));
        }
        return ended;
      }),
    isRevoked,
    certifiedAtMs: () => numbers.read("certified_at_ms") ?? 0,
    saveCertifiedAt(certifiedAtMs) {
      if (certifiedAtMs > (numbers.read("certified_at_ms") ?? 0)) numbers.write("certified_at_ms", certifiedAtMs);
    },
  };
}
