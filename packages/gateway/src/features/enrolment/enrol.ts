import { hash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { enrolmentIdOf, isLowOrderPoint, judgeEnrolment } from "@petak/credential";
import {
  AuditEntrySchema,
  AuditKind,
  AuditProof,
  type Enrolment,
  EnrolmentState,
  type EnrolRequest,
  type EnrolResponse,
  EnrolResponseSchema,
  EventType,
  invalidField,
  type Key,
  KeySchema,
  Mode,
  PetakError,
  readEnrolmentCode,
} from "@petak/protocol";
import type { AuditLog, EnrolmentEnd, Enrolments, ParticipantEvents, ParticipantStore, SiteAgents, SiteStore } from "@petak/records";
import { type CachedKeyDirectory, modeName } from "../../identity/cached-key-directory.ts";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { trustBundleAt } from "../../secrets/issuer-epochs.ts";
import { recordChange } from "../audit/record-change.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";
import { tellOfNewKey } from "../keys/key-event.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import type { CodeTries } from "./code-tries.ts";
import { codeUsed } from "./code-used.ts";
import { keyIdOf, stateOf } from "./enrolment-view.ts";
import { chargeChanged, inChargeOf, notInCharge } from "./in-charge.ts";

export interface EnrolDependencies {
  sites: Pick<SiteStore, "find">;
  enrolments: Pick<Enrolments, "find" | "end">;
  siteAgents: SiteAgents;
  participants: Pick<ParticipantStore, "findKey" | "addKey" | "keysOf">;
  participantEvents: ParticipantEvents;
  keyDirectory: Pick<CachedKeyDirectory, "forget" | "findKey">;
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates">;
  tries: CodeTries;
  auditLog: Pick<AuditLog, "begin" | "withdraw" | "settle">;
  /** The gateway's audience. */
  audience: string;
  now: () => number;
}

/**
 * Registers the key of a device by a code. The key's id follows from the code, so that the same key with the same code gives the same answer, as long as the
 * enrolment is known. Whoever calls is nobody until the code is known, so that everything that costs something comes after it.
 *
 * @param source the account of the address from which it comes
 */
export async function enrol(dependencies: EnrolDependencies, request: EnrolRequest, source: string): Promise<EnrolResponse> {
  const { tries, secrets, audience, keyDirectory, now } = dependencies;
  const { publicKey, possessionProof } = request;
  tries.refuseTooMany(source);
  const code = readEnrolmentCode(request.code);
  const found = code === undefined ? undefined : await dependencies.enrolments.find(await enrolmentIdOf(code));
  if (found === undefined || !(await isUsable(dependencies, found))) {
    tries.countWrong(source);
    throw new PetakError(
      "ENROLMENT_CODE_INVALID",
      "the enrolment code is mistyped, unknown, ended or over; ask the site's operator for a new one",
    );
  }
  const { enrolment } = found;
  if (isLowOrderPoint(publicKey))
    throw invalidField("public_key", "must not be a point of low order: signatures by it prove nothing", "enrol.order");
  const fault = await judgeEnrolment(possessionProof, publicKey, enrolment.enrolmentId);
  if (fault !== undefined) {
    tries.countWrong(source);
    throw new PetakError(
      "KEY_POSSESSION_UNPROVEN",
      `possession_proof must be a JWS by the new key for this enrolment, and is not: see ${fault}; docs/credentials.md says how to make it`,
      { metadata: { claim: fault } },
    );
  }
  if (found.end === undefined) await refuseSecond(dependencies, enrolment);
  const key = await register(dependencies, enrolment, request, source);
  if (key.revokedAt !== undefined) {
    throw new PetakError("KEY_REVOKED", `key '${key.keyId}' was revoked`, { metadata: { key_id: key.keyId } });
  }
  keyDirectory.forget(key.keyId);
  const { participantId, keyId, siteId, mode } = key;
  // Last: a key that is not registered must not be in charge. Sent again, the call completes it, unless another device is in charge by then.
  await retryOnConflict(
    async () => {
      const before = await refuseSecond(dependencies, enrolment);
      return (await dependencies.siteAgents.put(siteId, keyId, before)) || undefined;
    },
    { conflict: () => chargeChanged(siteId) },
  );
  return create(EnrolResponseSchema, {
    ...{ participantId, keyId, siteId, audience, mode },
    trustBundle: trustBundleAt(secrets.issuerEpochs(), now(), secrets.issuerCertificates()),
    serverTime: timestampFromMs(now()),
    rootPublicKey: secrets.issuerCertificates()?.rootKey ?? new Uint8Array(),
  });
}

/** Whether a code can be used, or was: then its key decides. */
async function isUsable(
  { keyDirectory, now }: EnrolDependencies,
  { enrolment, end }: { enrolment: Enrolment; end: EnrolmentEnd | undefined },
): Promise<boolean> {
  const state = stateOf(enrolment, end, now());
  if (state === EnrolmentState.USED) return true;
  if (state !== EnrolmentState.OPEN) return false;
  // What a key made that was stolen ends with it. Read anew, since another gateway may have revoked it.
  keyDirectory.forget(enrolment.byKeyId);
  const maker = await keyDirectory.findKey(enrolment.byKeyId);
  return maker !== undefined && (maker.revokedAtMs === undefined || maker.revokedAtMs > now());
}

/** Refuses a device while another one is in charge of its site. Returns the key that was put in charge last. "": none. */
async function refuseSecond(dependencies: EnrolDependencies, enrolment: Enrolment): Promise<string> {
  const { siteAgents, keyDirectory } = dependencies;
  const { siteId } = enrolment;
  // Read anew: the operator may have ended its key at another gateway just now.
  keyDirectory.forget((await siteAgents.inCharge(siteId)) ?? "");
  const { keyId, isOther } = await inChargeOf(dependencies, siteId, keyIdOf(enrolment));
  if (isOther) throw notInCharge(siteId, keyId);
  return keyId;
}

/** Uses the code for a key and registers it. Throws ENROLMENT_CODE_USED, of which the operator hears, if another key was first. */
async function register(
  dependencies: EnrolDependencies,
  enrolment: Enrolment,
  { publicKey, possessionProof }: EnrolRequest,
  source: string,
): Promise<Key> {
  const { sites, enrolments, participants, participantEvents, auditLog, tries, now } = dependencies;
  const { enrolmentId, participantId, siteId, mode, label, byKeyId } = enrolment;
  await findOwnSite(sites, siteId, { participantId, mode: modeName(mode) });
  const end = await enrolments.end(enrolmentId, publicKey);
  if (end === "revoked") {
    throw new PetakError("ENROLMENT_CODE_INVALID", "the enrolment code has been ended meanwhile; ask the site's operator for a new one");
  }
  if (Buffer.compare(end, publicKey) !== 0) {
    tries.countWrong(source);
    await tellOfReuse(dependencies, enrolment, publicKey);
    throw codeUsed(enrolment, "if your device did not use it, ask the site's operator to revoke that key and for a new code");
  }
  const key = create(KeySchema, {
    keyId: keyIdOf(enrolment),
    participantId,
    publicKey,
    mode,
    siteId,
    label,
    createdAt: timestampFromMs(now()),
  });
  const maker = { participantId, keyId: byKeyId };
  const entry = create(AuditEntrySchema, {
    ...{ participantId, keyId: byKeyId, ownerId: participantId, requestId: enrolmentId },
    method: "petak.v1.AgentService/Enrol",
    kind: AuditKind.KEY,
    objectId: key.keyId,
    summary: `registered by a device with a code, ${modeName(mode)}, of the agent of ${siteId}`,
    proof: AuditProof.OF_POSSESSION,
    proofSha256: hash("sha256", possessionProof, "buffer"),
  });
  return await recordChange(auditLog, {
    // The code is bound to the key, by what has ended it.
    request: { mode: modeName(mode), participantId, requestId: enrolmentId, fingerprint: "Enrol" },
    before: entry,
    work: () => participants.addKey(key, () => tellOfNewKey({ participants, participantEvents }, key, maker, now())),
    after: () => entry,
  });
}

/** Records for the operator that somebody used a code again: once for each code. */
async function tellOfReuse(
  { participantEvents, now }: Pick<EnrolDependencies, "participantEvents" | "now">,
  enrolment: Enrolment,
  refusedPublicKey: EnrolRequest["publicKey"],
): Promise<void> {
  const { enrolmentId, participantId, siteId, mode } = enrolment;
  const event = {
    ...{ type: EventType.ENROLMENT_CODE_REUSED, siteId, participantId },
    isTest: mode === Mode.TEST,
    enrolmentReuse: { enrolmentId, keyId: keyIdOf(enrolment), refusedPublicKey },
  };
  await participantEvents.append(`enrolment-reused:${enrolmentId}`, event, now());
}
