import { create } from "@bufbuild/protobuf";
import { allowancesOf, bundleAllowanceOf } from "@petak/lifecycle";
import { type BundleAllowance, type Reservation, type SyncRequest, type SyncResponse, SyncResponseSchema } from "@petak/protocol";
import { type BundleStore, type ReservationStore, type SiteRevocations, type SiteStore, siteNotFound } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { bundleVersionAt, trustBundleAt } from "../../secrets/issuer-epochs.ts";

export interface SyncDependencies {
  sites: Pick<SiteStore, "find" | "allowedVersion">;
  reservations: Pick<ReservationStore, "allowedAt">;
  bundles: Pick<BundleStore, "find" | "pins">;
  siteRevocations: Pick<SiteRevocations, "at">;
  secrets: Pick<GatewaySecrets, "issuerEpochs">;
  now: () => number;
}

/**
 * Factor of the trust bundle's version in the version of an agent's state. The rest counts changes of the allowances and is less than this. So agents
 * get new issuer keys also at sites where nothing else changes.
 */
const allowedVersions = 2n ** 28n;

/** Returns everything that the site may open for, unless the agent knows the current version. */
export async function sync(dependencies: SyncDependencies, { knownVersion }: SyncRequest, { siteId }: AgentCaller): Promise<SyncResponse> {
  const { sites, reservations, siteRevocations, secrets, now } = dependencies;
  // The version is read first: a change during the reading gives a newer version at the next call.
  const [allowedVersion, stored] = await Promise.all([sites.allowedVersion(siteId), sites.find(siteId)]);
  if (stored === undefined) throw siteNotFound(siteId);
  const version = BigInt(bundleVersionAt(secrets.issuerEpochs(), now())) * allowedVersions + BigInt(allowedVersion + 1);
  if (version === knownVersion) return create(SyncResponseSchema, { version, unchanged: true });
  const [allowed, revokedServiceHashes] = await Promise.all([reservations.allowedAt(siteId), siteRevocations.at(siteId, now())]);
  return create(SyncResponseSchema, {
    version,
    allowances: allowed.flatMap(({ reservation, pin }) => allowancesOf(reservation, pin)),
    bundles: await bundleAllowances(
      dependencies,
      siteId,
      allowed.map(({ reservation }) => reservation),
    ),
    revokedServiceHashes,
    trustBundle: trustBundleAt(secrets.issuerEpochs(), now()),
  });
}

/** The bundles of reservations that the site's agent should know. */
async function bundleAllowances(
  { bundles }: Pick<SyncDependencies, "bundles">,
  siteId: string,
  reservations: readonly Reservation[],
): Promise<BundleAllowance[]> {
  const bundleOf = new Map(reservations.map(({ reservationId, bundleId }) => [reservationId, bundleId]));
  const bundleIds = [...new Set(bundleOf.values())].filter((bundleId) => bundleId !== "");
  const [found, pins] = await Promise.all([Promise.all(bundleIds.map(bundles.find)), bundles.pins(siteId, bundleIds)]);
  return found.flatMap((bundle, index) => {
    if (bundle === undefined) return [];
    const reservationIds = bundle.reservationIds.filter((reservationId) => bundleOf.get(reservationId) === bundle.bundleId);
    return bundleAllowanceOf(bundle, reservationIds, pins[index]);
  });
}
