import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AgentEpochSchema, type BootRequest, type BootResponse, BootResponseSchema } from "@petak/protocol";
import { type DeviceReports, type ReservationStore, type SiteStore, siteNotFound } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { trustBundleAt } from "../../secrets/issuer-epochs.ts";
import { type CommandKeysDependencies, commandKeysOf } from "../command/command-keys.ts";
import { takeEpoch } from "../enrolment/epochs.ts";
import { type AllowedAgent, fenceOf } from "./allowed-agent.ts";
import { type ForkDependencies, keepFork, tellMissing } from "./forked-reports.ts";
import { type HandOverPinKeyDependencies, handOverPinKey } from "./hand-over-pin-key.ts";

export interface BootDependencies extends ForkDependencies, Omit<CommandKeysDependencies, "keyDirectory">, HandOverPinKeyDependencies {
  sites: Pick<SiteStore, "find">;
  reservations: Pick<ReservationStore, "watermark">;
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates" | "pinKey">;
  deviceReports: Pick<DeviceReports, "compareLast">;
  /** Interval of Sync calls without other causes, in ms. */
  syncIntervalMs: number;
}

/**
 * Gives an agent its epoch. Returns its site, the trust bundle, its site's PIN key, the time, and the watermark of its reports.
 *
 * @param inChargeKeyId the key that was put in charge of the site, as {@link requireInCharge} says
 */
export async function boot(
  dependencies: BootDependencies,
  request: BootRequest,
  caller: AgentCaller,
  inChargeKeyId: string,
): Promise<BootResponse> {
  const { sites, reservations, secrets, now, syncIntervalMs } = dependencies;
  const { siteId, keyId } = caller;
  // First: reports of an earlier epoch that are under way are recorded before this one's watermark is read, or refused.
  const epoch = await takeEpoch(dependencies, request, caller);
  const named =
    epoch.number === 0 ? undefined : create(AgentEpochSchema, { number: epoch.number, nonce: request.bootNonce ?? new Uint8Array() });
  const allowed: AllowedAgent = { ...caller, fence: fenceOf(named, inChargeKeyId) };
  const [stored, pinKey, commandKeys] = await Promise.all([
    sites.find(siteId),
    handOverPinKey(dependencies, allowed, named),
    commandKeysOf(dependencies, caller),
  ]);
  if (stored === undefined) throw siteNotFound(siteId);
  // By its operator's word it continues after whatever another one has reported.
  if (!epoch.isByWord) await compareReports(dependencies, request, allowed);
  const acknowledged = await reservations.watermark(siteId, keyId);
  return create(BootResponseSchema, {
    serverTime: timestampFromMs(now()),
    site: stored.site,
    acknowledgedSequence: BigInt(acknowledged.sequence),
    acknowledgedHash: acknowledged.hash.length === 0 ? new Uint8Array(32) : new Uint8Array(acknowledged.hash),
    quarantined: acknowledged.hasForked,
    pinKey: new Uint8Array(pinKey),
    trustBundle: trustBundleAt(secrets.issuerEpochs(), now(), secrets.issuerCertificates()),
    syncInterval: durationFromMs(syncIntervalMs),
    epoch: epoch.number,
    epochProof: epoch.proof,
    byOperatorsWord: epoch.isByWord,
    commandKeys,
    takesIntakeReports: true,
  });
}

/** Compares the last report of an agent that chains its reports with the record, and tells the operator if one of them is of an earlier time or they have forked. */
async function compareReports(
  dependencies: BootDependencies,
  { lastHash, lastSequence }: BootRequest,
  caller: AllowedAgent,
): Promise<void> {
  if (lastHash.length === 0 || lastSequence > BigInt(Number.MAX_SAFE_INTEGER)) return;
  const last = { sequence: Number(lastSequence), hash: lastHash };
  const compared = await dependencies.deviceReports.compareLast(caller, last);
  if (compared.tag === "fork") await keepFork(dependencies, { ...last, sequence: lastSequence, watermark: compared.watermark }, caller);
  if (compared.tag !== "same") return;
  const { sequence } = await dependencies.reservations.watermark(caller.siteId, caller.keyId);
  if (last.sequence < sequence) await tellMissing(dependencies, { first: last.sequence + 1, last: sequence, isDevice: true }, caller);
}
