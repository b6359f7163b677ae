import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { verifyReport } from "@petak/credential";
import { allowancesOf, applyReport, bundleAllowanceOf, deviceEvent, type PinEntry } from "@petak/lifecycle";
import {
  type AgentService,
  type BundleAllowance,
  type DeviceEvent,
  PetakError,
  type Reservation,
  type SignedReport,
  SignedReportSchema,
  SyncResponseSchema,
  type TrustBundle,
} from "@petak/protocol";
import type { TermsBook } from "@petak/records";
import { type Allocator, decodePinEntry, type FiledSite, type StoredSite, siteNotFound, type TransitionOutcome } from "@petak/records";
import { type AgentCaller, type KeyDirectory, requireAgent } from "../../identity/index.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { bundleVersionAt, trustBundleAt } from "../../secrets/issuer-epochs.ts";
import type { Receipts } from "../receipts/receipts.ts";

/** What the agents' service needs. */
export interface AgentDependencies {
  allocator: Allocator;
  secrets: GatewaySecrets;
  /** Where agents' keys are found. */
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  now: () => number;
  /** How often agents call Sync when nothing else prompts them, in ms. */
  syncIntervalMs: number;
  termsBook: TermsBook;
}

/**
 * What Sync calls the version of a state has two parts: a count of the changes of the allowances, less than this, and the trust bundle's
 * version, so many times. So a site where nothing happens hears of new issuer keys as soon as one where much does.
 */
const allowedVersions = 2n ** 28n;

/** How often a report is tried against concurrent changes of its reservation. */
const maxAttempts = 5;

/** What a site's agent needs from its gateway. */
export function createAgentService(dependencies: AgentDependencies): ServiceImpl<typeof AgentService> {
  const { allocator, secrets, keys, receipts, now, termsBook } = dependencies;

  async function findSite(caller: AgentCaller): Promise<StoredSite> {
    const stored = await allocator.sites.find(caller.siteId);
    if (stored === undefined) throw siteNotFound(caller.siteId);
    return stored;
  }

  async function filedSite({ siteId }: AgentCaller): Promise<FiledSite> {
    const filed = await allocator.sites.filed(siteId);
    if (filed === undefined) throw siteNotFound(siteId);
    return filed;
  }

  function trustBundle(): TrustBundle {
    return trustBundleAt(secrets.issuerEpochs(), now());
  }

  /** Records one report and what it changes. Gives the number of the last report that is recorded. */
  async function record(caller: AgentCaller, event: DeviceEvent, signed: SignedReport): Promise<number> {
    const report = { siteId: caller.siteId, keyId: caller.keyId, sequence: Number(event.sequence) };
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const [filed, reservation] = await Promise.all([filedSite(caller), reservationAt(caller.siteId, event.reservationId)]);
      let outcome: TransitionOutcome;
      if (reservation === undefined) {
        outcome = await allocator.reservations.record(regionOf(caller.siteId), report, deviceEvent(event, caller, filed.site, now()));
      } else {
        const terms = await termsBook.of(reservation);
        const parentCredentialHash = event.delegated ? await parentHashOf(event, reservation) : "";
        const transition = applyReport(reservation, { event, terms, agent: caller, parentCredentialHash }, now());
        outcome = await allocator.reservations.apply({
          ...(await receipts.attach(reservation, transition, { report: signed })),
          site: filed,
          report,
        });
      }
      if (outcome.tag === "done") return report.sequence;
      if (outcome.tag === "seen") return outcome.watermark;
      if (outcome.tag === "gap") throw sequenceGap(outcome.watermark, event.sequence);
    }
    throw new PetakError("CONFLICT", `reservation ${event.reservationId} was changed concurrently too often; send the same reports again`, {
      metadata: { reservation_id: event.reservationId },
    });
  }

  /** What makes each report one that the caller's own key signed. Throws REPORT_SIGNATURE_INVALID at the first that is not. */
  async function signedReports({ keyId, siteId }: AgentCaller, events: readonly DeviceEvent[]): Promise<SignedReport[]> {
    const key = await keys.findKey(keyId);
    const signed: SignedReport[] = [];
    for (const event of events) {
      const { signature, deviceEventId, act, delegated, bundleId } = event;
      if (key === undefined || !(await verifyReport(key, siteId, event))) throw reportSignatureInvalid(keyId, event);
      signed.push(create(SignedReportSchema, { publicKey: key.publicKey, signature, deviceEventId, act, delegated, bundleId }));
    }
    return signed;
  }

  /** The hash of the credential that a delegate's was made of, or nothing where the record does not know it. */
  async function parentHashOf({ bundleId, credentialHash }: DeviceEvent, reservation: Reservation): Promise<string> {
    const bundle = bundleId === "" ? undefined : await allocator.bundles.find(bundleId);
    const { delegations } = bundle?.siteId === reservation.siteId ? bundle : reservation;
    return delegations.find((one) => one.credentialHash === credentialHash)?.parentCredentialHash ?? "";
  }

  /** The bundles to which reservations belong that a site's agent should know. */
  async function bundleAllowances(siteId: string, reservations: readonly Reservation[]): Promise<BundleAllowance[]> {
    const bundleOf = new Map(reservations.map(({ reservationId, bundleId }) => [reservationId, bundleId]));
    const bundleIds = [...new Set(bundleOf.values())].filter((bundleId) => bundleId !== "");
    const [bundles, pins] = await Promise.all([
      Promise.all(bundleIds.map(allocator.bundles.find)),
      allocator.bundles.pins(siteId, bundleIds),
    ]);
    return bundles.flatMap((bundle, index) => {
      if (bundle === undefined) return [];
      const reservationIds = bundle.reservationIds.filter((reservationId) => bundleOf.get(reservationId) === bundle.bundleId);
      return bundleAllowanceOf(bundle, reservationIds, pinOf(pins[index]));
    });
  }

  /** A reservation at a site. Reports about anything else are recorded without it. */
  async function reservationAt(siteId: string, reservationId: string): Promise<Reservation | undefined> {
    const reservation = await allocator.reservations.find(reservationId);
    return reservation?.siteId === siteId ? reservation : undefined;
  }

  return {
    async boot(request, context) {
      const caller = requireAgent(context, request.siteId);
      const [stored, acknowledged, pinKey] = await Promise.all([
        findSite(caller),
        allocator.reservations.watermark(caller.siteId, caller.keyId),
        secrets.pinKey(caller.siteId),
      ]);
      return {
        serverTime: timestampFromMs(now()),
        site: stored.site,
        acknowledgedSequence: BigInt(acknowledged),
        pinKey,
        trustBundle: trustBundle(),
        syncInterval: durationFromMs(dependencies.syncIntervalMs),
      };
    },

    async sync(request, context) {
      const caller = requireAgent(context, request.siteId);
      // The version first: what changes while the list is read shows as a newer version at the next call.
      const [allowedVersion] = await Promise.all([allocator.sites.allowedVersion(caller.siteId), findSite(caller)]);
      const version = BigInt(bundleVersionAt(secrets.issuerEpochs(), now())) * allowedVersions + BigInt(allowedVersion + 1);
      if (version === request.knownVersion) return create(SyncResponseSchema, { version, unchanged: true });
      const [allowed, revokedServiceHashes] = await Promise.all([
        allocator.reservations.allowedAt(caller.siteId),
        allocator.siteRevocations.at(caller.siteId, now()),
      ]);
      return create(SyncResponseSchema, {
        version,
        allowances: allowed.flatMap(({ reservation, pin }) => allowancesOf(reservation, pinOf(pin))),
        bundles: await bundleAllowances(
          caller.siteId,
          allowed.map(({ reservation }) => reservation),
        ),
        revokedServiceHashes,
        trustBundle: trustBundle(),
      });
    },

    async reportEvents(request, context) {
      const caller = requireAgent(context, request.siteId);
      request.events.forEach((event, index) => {
        const before = request.events[index - 1];
        if (before !== undefined && event.sequence !== before.sequence + 1n) throw sequenceGap(Number(before.sequence), event.sequence);
        if (event.sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw sequenceGap(0, event.sequence);
      });
      const signed = await signedReports(caller, request.events);
      let acknowledged = 0;
      for (const [index, event] of request.events.entries()) acknowledged = await record(caller, event, signed[index] as SignedReport);
      return { acknowledgedSequence: BigInt(acknowledged) };
    },
  };
}

function pinOf(bytes: Buffer | undefined): PinEntry | undefined {
  return bytes && decodePinEntry(bytes);
}

function regionOf(siteId: string): string {
  return siteId.slice("site_".length, "site_".length + 6);
}

function reportSignatureInvalid(keyId: string, { sequence }: DeviceEvent): PetakError {
  const message = `the signature of report ${sequence} does not verify with key ${keyId}; no report of this call was recorded`;
  return new PetakError("REPORT_SIGNATURE_INVALID", message, {
    metadata: { sequence: String(sequence), key_id: keyId, subject: String(sequence) },
  });
}

function sequenceGap(watermark: number, sequence: bigint): PetakError {
  return new PetakError("SEQUENCE_GAP", `report ${sequence} was sent, but the next report must be ${watermark + 1}`, {
    metadata: { expected: String(watermark + 1), received: String(sequence), subject: String(sequence) },
  });
}
