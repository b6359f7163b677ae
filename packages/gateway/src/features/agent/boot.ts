import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type BootRequest, type BootResponse, BootResponseSchema } from "@petak/protocol";
import { type ReservationStore, type SiteStore, siteNotFound } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { trustBundleAt } from "../../secrets/issuer-epochs.ts";

export interface BootDependencies {
  sites: Pick<SiteStore, "find">;
  reservations: Pick<ReservationStore, "watermark">;
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "pinKey">;
  now: () => number;
  /** Interval of Sync calls without other causes, in ms. */
  syncIntervalMs: number;
}

/** Returns an agent's site, the trust bundle, its site's PIN key, the time, and the watermark of its reports. */
export async function boot(
  { sites, reservations, secrets, now, syncIntervalMs }: BootDependencies,
  _request: BootRequest,
  { siteId, keyId }: AgentCaller,
): Promise<BootResponse> {
  const [stored, acknowledged, pinKey] = await Promise.all([
    sites.find(siteId),
    reservations.watermark(siteId, keyId),
    secrets.pinKey(siteId),
  ]);
  if (stored === undefined) throw siteNotFound(siteId);
  return create(BootResponseSchema, {
    serverTime: timestampFromMs(now()),
    site: stored.site,
    acknowledgedSequence: BigInt(acknowledged),
    pinKey,
    trustBundle: trustBundleAt(secrets.issuerEpochs(), now()),
    syncInterval: durationFromMs(syncIntervalMs),
  });
}
