import { hash } from "node:crypto";
import { create, type DescMethod, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { type AuditEntry, AuditEntrySchema, AuditProof } from "@petak/protocol";
import type { AuditLog, ParticipantStore } from "@petak/records";
import { callerKey, isProvenKey, type ParticipantCaller } from "../../identity/index.ts";
import { callKey } from "../../transport/call/call.ts";
import { type AuditedChange, auditedChanges, type DescribeChange } from "./audited-change.ts";
import { recordChange } from "./record-change.ts";
import { summaryMaxLength } from "./summary.ts";

export interface AuditedDependencies {
  auditLog: Pick<AuditLog, "begin" | "withdraw" | "settle">;
  participants: Pick<ParticipantStore, "findKey" | "findPublishableKey">;
}

/** Key in a call's context of whether it has begun to change one of several objects: a refusal after this does not mean that nothing was changed. */
const hasBegunToChange = createContextKey(false, { description: "whether the call has begun to change something" });

/** Returns the function by which a handler says that its call begins to change something. */
export function noteChange({ values }: Pick<HandlerContext, "values">): () => void {
  return () => void values.set(hasBegunToChange, true);
}

/** Key in a call's context of whether a call that succeeds has found everything as it wanted it, so that it changed nothing. */
const hasChangedNothing = createContextKey(false, { description: "whether the call has changed nothing" });

/** Returns the function by which a handler says that its call changes nothing. Such a call leaves no entry, so that nobody fills the log with them. */
export function noteUnchanged({ values }: Pick<HandlerContext, "values">): () => void {
  return () => void values.set(hasChangedNothing, true);
}

type UnaryMethod = (request: unknown, context: HandlerContext) => Promise<unknown>;

/** Wraps a service so that the administrative changes of participants are recorded. */
export function audited<Service extends DescService, Implementation extends Partial<ServiceImpl<Service>>>(
  service: Service,
  implementation: Implementation,
  dependencies: AuditedDependencies,
): Implementation {
  const methods = implementation as Record<string, UnaryMethod>;
  const wrapped: Record<string, UnaryMethod> = { ...methods };
  for (const method of service.methods) {
    const { name, localName } = method;
    const describe = auditedChanges.get(`${service.typeName}/${name}`);
    const handle = methods[localName];
    if (describe !== undefined && handle !== undefined) wrapped[localName] = recorded(dependencies, method, describe, handle);
  }
  return wrapped as Implementation;
}

function recorded(
  { auditLog, participants }: AuditedDependencies,
  method: DescMethod,
  describe: DescribeChange,
  handle: UnaryMethod,
): UnaryMethod {
  return async (message, context) => {
    const caller = context.values.get(callerKey);
    // The handler refuses the others.
    if (caller?.kind !== "participant") return await handle(message, context);
    const before = describe(message, undefined, caller);
    if (before === undefined) return await handle(message, context);
    const { requestId } = message as { requestId: string };
    const { participantId, mode } = caller;
    const request = { mode, participantId, requestId, fingerprint: fingerprintOf(method, message as Message) };
    const made = madeBy(caller, method, requestId, context);
    return await recordChange(auditLog, {
      request,
      before: await entryOf(made, before, participants),
      work: () => handle(message, context),
      after: async (response) => {
        if (context.values.get(hasChangedNothing)) return undefined;
        const after = describe(message, response, caller);
        return after && (await entryOf(made, after, participants));
      },
      mayHaveChanged: () => context.values.get(hasBegunToChange),
    });
  };
}

function fingerprintOf({ parent, name, input }: DescMethod, message: Message): string {
  return hash("sha256", Buffer.concat([Buffer.from(`${parent.typeName}/${name}\0`), toBinary(input, message)]), "base64url");
}

/** Who makes a change, and by which proof. */
function madeBy(
  { participantId, keyId }: ParticipantCaller,
  { parent, name }: DescMethod,
  requestId: string,
  { values }: HandlerContext,
): AuditEntry {
  const { authorization = "", proof } = values.get(callKey) ?? {};
  // Not that of the call: it may be a batch.
  const method = `${parent.typeName}/${name}`;
  const token = authorization.replace(/^bearer +/i, "").trimEnd();
  return create(AuditEntrySchema, {
    ...{ participantId, keyId, method, requestId },
    requestTokenSha256: hash("sha256", token, "buffer"),
    proof: AuditProof.REQUEST_TOKEN,
    ...(proof !== undefined && values.get(isProvenKey) && { proof: AuditProof.OF_CALL, proofSha256: hash("sha256", proof, "buffer") }),
  });
}

async function entryOf(
  made: AuditEntry,
  { kind, objectId = "", owner = made.participantId, summary }: AuditedChange,
  participants: AuditedDependencies["participants"],
): Promise<AuditEntry> {
  const ownerId = typeof owner === "string" ? owner : await ownerOf(participants, owner.ofKey);
  return { ...made, kind, objectId, ownerId, summary: summary.slice(0, summaryMaxLength) };
}

/** The owner of a key or publishable key. "": there is none. */
async function ownerOf(participants: AuditedDependencies["participants"], keyId: string): Promise<string> {
  const found = await (keyId.startsWith("pk_") ? participants.findPublishableKey(keyId) : participants.findKey(keyId));
  return found?.participantId ?? "";
}
