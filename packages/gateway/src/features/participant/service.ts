import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { isLowOrderPoint } from "@petak/credential";
import {
  CreateParticipantRequestSchema,
  CreatePublishableKeyRequestSchema,
  invalidField,
  type Key,
  KeySchema,
  Mode,
  type Participant,
  ParticipantSchema,
  type ParticipantService,
  PetakError,
  type PublishableKey,
  PublishableKeySchema,
  RegisterKeyRequestSchema,
  RevokeKeyRequestSchema,
  Role,
} from "@petak/protocol";
import type { Allocator, ParticipantStore } from "@petak/records";
import { siteNotFound } from "@petak/records";
import { type CachedKeyDirectory, modeName } from "../../identity/cached-key-directory.ts";
import { type ParticipantCaller, requireParticipant } from "../../identity/index.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";

/** What the participants' service needs. */
export interface ParticipantDependencies {
  allocator: Allocator;
  participants: ParticipantStore;
  keyDirectory: CachedKeyDirectory;
  now: () => number;
}

const defaultRequestsPerSecond = 50;

/** Who takes part, and with which keys. */
export function createParticipantService(dependencies: ParticipantDependencies): ServiceImpl<typeof ParticipantService> {
  const { allocator, participants, keyDirectory, now } = dependencies;

  /** The participant that a request is about: the caller, or another where the caller is ADMIN. */
  async function subject(participantId: string, caller: ParticipantCaller): Promise<Participant> {
    const wanted = participantId === "" ? caller.participantId : participantId;
    const isVisible = wanted === caller.participantId || isAdmin(caller);
    const found = isVisible ? await participants.find(wanted) : undefined;
    if (found === undefined) {
      throw new PetakError("PARTICIPANT_NOT_FOUND", `participant ${JSON.stringify(wanted)} does not exist, or the caller may not see it`, {
        metadata: { participant_id: wanted },
      });
    }
    return found;
  }

  async function claim<Desc extends DescMessage>(
    caller: ParticipantCaller,
    schema: Desc,
    request: MessageShape<Desc> & { requestId: string },
  ): Promise<void> {
    await allocator.requestIds.claim(caller.participantId, request.requestId, fingerprintOf(schema, request));
  }

  async function checkAgentSite(siteId: string, participantId: string, mode: Mode): Promise<void> {
    const stored = await allocator.sites.find(siteId);
    if (stored === undefined || stored.site.operatorId !== participantId || stored.site.isTest !== (mode === Mode.TEST)) {
      throw siteNotFound(siteId);
    }
  }

  async function revoke(caller: ParticipantCaller, keyId: string): Promise<void> {
    const [key, publishableKey] = await Promise.all([participants.findKey(keyId), participants.findPublishableKey(keyId)]);
    const owner = key?.participantId ?? publishableKey?.participantId;
    const mode = key?.mode ?? publishableKey?.mode;
    if (owner === undefined || (owner !== caller.participantId && !isAdmin(caller))) {
      throw new PetakError("KEY_NOT_FOUND", `key ${JSON.stringify(keyId)} does not exist, or the caller may not see it`, {
        metadata: { key_id: keyId },
      });
    }
    if (mode === Mode.LIVE) refuseLiveFromTest(caller, Mode.LIVE);
    const revokedAt = timestampFromMs(now());
    if (key !== undefined && key.revokedAt === undefined) await participants.replaceKey({ ...key, revokedAt });
    if (publishableKey !== undefined && publishableKey.revokedAt === undefined) {
      await participants.replacePublishableKey({ ...publishableKey, revokedAt });
    }
    keyDirectory.forget(keyId);
  }

  return {
    async createParticipant(request, context) {
      const caller = requireAdmin(context);
      await claim(caller, CreateParticipantRequestSchema, request);
      const participant = create(ParticipantSchema, {
        participantId: `par_${derivedId(caller.participantId, request.requestId, 16)}`,
        displayName: request.displayName,
        roles: request.roles,
        createdAt: timestampFromMs(now()),
      });
      return { participant: await participants.add(participant) };
    },

    async getParticipant(request, context) {
      return { participant: await subject(request.participantId, requireParticipant(context)) };
    },

    async listParticipants(_request, context) {
      requireAdmin(context);
      return { participants: await participants.list() };
    },

    async registerKey(request, context) {
      const caller = requireParticipant(context);
      refuseLiveFromTest(caller, request.mode);
      const { participantId } = await subject(request.participantId, caller);
      if (isLowOrderPoint(request.publicKey)) {
        throw invalidField("public_key", "must not be a point of low order: signatures by it prove nothing", "register_key.order");
      }
      if (request.siteId !== "") await checkAgentSite(request.siteId, participantId, request.mode);
      await claim(caller, RegisterKeyRequestSchema, request);
      const key: Key = create(KeySchema, {
        keyId: `key_${modeName(request.mode)}_${derivedId(caller.participantId, request.requestId, 16)}`,
        participantId,
        publicKey: request.publicKey,
        mode: request.mode,
        siteId: request.siteId,
        label: request.label,
        createdAt: timestampFromMs(now()),
      });
      const registered = await participants.addKey(key);
      keyDirectory.forget(registered.keyId);
      return { key: registered };
    },

    async listKeys(request, context) {
      const { participantId } = await subject(request.participantId, requireParticipant(context));
      return await participants.keysOf(participantId);
    },

    async revokeKey(request, context) {
      const caller = requireParticipant(context);
      await claim(caller, RevokeKeyRequestSchema, request);
      await revoke(caller, request.keyId);
      return {};
    },

    async createPublishableKey(request, context) {
      const caller = requireParticipant(context);
      refuseLiveFromTest(caller, request.mode);
      const { participantId } = await subject(request.participantId, caller);
      if (request.mode === Mode.LIVE && request.origins.includes("*")) {
        throw invalidField("origins", "must not contain * for a live key; name the origins of the pages", "publishable_key.origins");
      }
      await claim(caller, CreatePublishableKeyRequestSchema, request);
      const key: PublishableKey = create(PublishableKeySchema, {
        publishableKey: `pk_${modeName(request.mode)}_${derivedId(caller.participantId, request.requestId, 24)}`,
        participantId,
        mode: request.mode,
        origins: request.origins,
        requestsPerSecond: request.requestsPerSecond === 0 ? defaultRequestsPerSecond : request.requestsPerSecond,
        createdAt: timestampFromMs(now()),
      });
      return { publishableKey: await participants.addPublishableKey(key) };
    },
  };
}

function isAdmin({ roles }: ParticipantCaller): boolean {
  return roles.includes(Role.ADMIN);
}

function requireAdmin(context: HandlerContext): ParticipantCaller {
  return requireParticipant(context, { roles: [Role.ADMIN] });
}

/** A test key must never be a way to a live one: it lies around in scripts. ADMIN is known by its live or test key alike. */
function refuseLiveFromTest(caller: ParticipantCaller, mode: Mode): void {
  if (caller.mode === "test" && mode === Mode.LIVE) {
    throw new PetakError("MODE_MISMATCH", "a test key cannot create, register or revoke a live key");
  }
}
