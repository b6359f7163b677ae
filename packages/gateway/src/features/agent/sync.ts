import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type SyncRequest, type SyncResponse, SyncResponseSchema } from "@petak/protocol";
import {
  type AllowedChanges,
  type AllowedDifference,
  type AllowedVersion,
  type Commands,
  type SiteRevocations,
  type SiteStore,
  siteNotFound,
} from "@petak/records";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { bundleVersionAt, trustBundleAt } from "../../secrets/issuer-epochs.ts";
import { type CommandKeysDependencies, commandKeysOf } from "../command/command-keys.ts";
import { forDevice } from "../command/command-view.ts";
import type { PinRotation } from "../enrolment/pin-rotation.ts";
import { type AllowedDependencies, allAllowed, changedAllowed } from "./allowed.ts";
import type { AllowedAgent } from "./allowed-agent.ts";
import { type CountRefusalsDependencies, tellCounted } from "./count-refusals.ts";
import { type CourierKeysDependencies, courierKeysOf } from "./courier-keys.ts";
import { type HandOverPinKeyDependencies, handOverPinKey } from "./hand-over-pin-key.ts";
import { knownVersionOf, versionOf } from "./sync-version.ts";

export interface SyncDependencies
  extends CountRefusalsDependencies,
    Omit<CommandKeysDependencies, "keyDirectory">,
    AllowedDependencies,
    CourierKeysDependencies,
    HandOverPinKeyDependencies {
  commands: Pick<Commands, "openAt">;
  sites: Pick<SiteStore, "find">;
  allowedChanges: AllowedChanges;
  siteRevocations: Pick<SiteRevocations, "at">;
  pinRotation: Pick<PinRotation, "tellRest">;
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates" | "pinKey">;
}

/**
 * Returns what the site may open for, or what has changed of it since the version that the agent knows, if the agent accepts that and the store can tell.
 * Nothing if the agent knows the current version.
 */
export async function sync(dependencies: SyncDependencies, request: SyncRequest, caller: AllowedAgent): Promise<SyncResponse> {
  const { sites, allowedChanges, siteRevocations, refusalCounts, commands, secrets, now } = dependencies;
  const { siteId } = caller;
  // The version is read first: a change during the reading gives a newer version at the next call.
  const [allowedVersion, stored, refusals, open, commandKeys] = await Promise.all([
    allowedChanges.version(siteId),
    sites.find(siteId),
    refusalCounts.at(siteId),
    commands.openAt(siteId, now()),
    commandKeysOf(dependencies, caller),
  ]);
  if (stored === undefined) throw siteNotFound(siteId);
  await tellCounted(dependencies, refusals, caller, stored.site);
  const always = {
    siteRevision: stored.site.revision,
    serverTime: timestampFromMs(now()),
    commandKeysVersion: commandKeys.version,
    commands: open.map(forDevice),
    takesHandoverLists: true,
  };
  const bundleVersion = bundleVersionAt(secrets.issuerEpochs(), now(), secrets.issuerCertificates());
  const current = versionOf(bundleVersion, allowedVersion);
  if (isKnown(request, current)) return create(SyncResponseSchema, { ...current, unchanged: true, ...always });
  await dependencies.pinRotation.tellRest(caller);
  const difference = await differenceFor(dependencies, siteId, request, allowedVersion);
  // The key is read before the PINs: PINs of a later one are in a newer version.
  const pinKey = new Uint8Array(await handOverPinKey(dependencies, caller, request.epoch));
  const [allowed, revokedServiceHashes] = await Promise.all([
    difference === undefined ? allAllowed(dependencies, siteId) : changedAllowed(dependencies, siteId, difference),
    siteRevocations.at(siteId, now()),
  ]);
  return create(SyncResponseSchema, {
    ...(difference === undefined ? current : { ...versionOf(bundleVersion, difference.version), isDifference: true }),
    ...allowed,
    courierKeys: await courierKeysOf(dependencies, allowed.allowances, caller.mode),
    revokedServiceHashes,
    trustBundle: trustBundleAt(secrets.issuerEpochs(), now(), secrets.issuerCertificates()),
    pinKey,
    ...always,
  });
}

/** Whether the agent has the current version. An agent of an earlier release goes by its number alone. */
function isKnown(
  { knownVersion, knownVersionTag, acceptsDifference }: SyncRequest,
  current: { version: bigint; versionTag: number },
): boolean {
  return knownVersion === current.version && (!acceptsDifference || knownVersionTag === current.versionTag);
}

/** What has changed since the version that the agent knows. Undefined: it gets everything. */
async function differenceFor(
  { allowedChanges }: Pick<SyncDependencies, "allowedChanges">,
  siteId: string,
  request: SyncRequest,
  current: AllowedVersion,
): Promise<AllowedDifference | undefined> {
  return request.acceptsDifference ? await allowedChanges.since(siteId, knownVersionOf(request), current) : undefined;
}
