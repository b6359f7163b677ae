import { timestampMs } from "@bufbuild/protobuf/wkt";
import { certifiedTrust, limitTimes, limitTrust, revokedIssuerKeys, supersedes, trustBundleLifetimeMs } from "@petak/credential";
import type { TrustBundle } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";

/** Decides which issuer keys the agent believes. */
export interface Trust {
  /**
   * The offered trust bundle, as far as the agent may rely on it, if it supersedes the agent's own; undefined: the agent keeps its own. Keys that the root revokes
   * are ended at once and for good, whatever becomes of the bundle.
   */
  newer(offered: TrustBundle | undefined): Promise<TrustBundle | undefined>;
  /** Limits the agent's own trust bundle to 7 days from now: after a correction of the clock it could be good for longer. */
  limitHeld(): void;
}

export function createTrust({ store, clock, logger }: { store: AgentStore; clock: Pick<SiteClock, "nowMs">; logger: AgentLogger }): Trust {
  /** What the operator's root key lets the agent believe of a bundle. */
  async function certified(offered: TrustBundle, rootKey: Uint8Array): Promise<TrustBundle | undefined> {
    const ended = store.trust.revoke(await revokedIssuerKeys(offered, rootKey));
    if (ended > 0) logger.warn({ ended }, "the operator's root has revoked issuer keys; the agent believes them no more");
    // A false time must not make a certificate valid that has ended.
    const nowMs = Math.max(clock.nowMs(), store.trust.certifiedAtMs());
    const { bundle, certifiedAtMs, refused } = await certifiedTrust(offered, rootKey, store.trust.isRevoked, nowMs);
    if (bundle === undefined) {
      logger.error(
        { refused },
        "the gateway offered issuer keys that the operator's root has not certified; the agent keeps its own until they expire",
      );
      return undefined;
    }
    if (refused.length > 0) logger.warn({ refused }, "the agent leaves out issuer keys that the operator's root has not certified");
    store.trust.saveCertifiedAt(certifiedAtMs);
    return bundle;
  }

  return {
    async newer(offered) {
      if (offered === undefined) return undefined;
      const rootKey = store.trust.rootKey();
      const believed = rootKey === undefined ? offered : await certified(offered, rootKey);
      if (believed === undefined) return undefined;
      const held = store.trustBundle();
      const limited = limitTrust(believed, clock.nowMs());
      const versions = { offered: String(offered.version), held: String(held?.version) };
      if (limited === undefined) {
        logger.warn(
          versions,
          "the gateway offered a trust bundle whose version lies in the future; the agent keeps its own until that expires",
        );
        return undefined;
      }
      if (supersedes(limited, held, clock.nowMs())) return limited;
      logger.warn(versions, "the gateway offered an older trust bundle; the agent keeps its own until that expires");
      return undefined;
    },
    limitHeld() {
      const held = store.trustBundle();
      if (held?.notAfter === undefined || timestampMs(held.notAfter) <= clock.nowMs() + trustBundleLifetimeMs) return;
      store.saveTrustBundle(limitTimes(held, clock.nowMs()));
    },
  };
}
