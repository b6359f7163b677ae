import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** The messages of a call, and what its fingerprint covers. */
export interface CallSchemas<Request extends DescMessage, Response extends DescMessage> {
  request: Request;
  response: Response;
  /**
   * Whether the body alone determines the network, by the sites or reservations that it names. The fingerprint then leaves out the network of the
   * caller's key. Default false.
   */
  bodyNamesNetwork?: boolean;
}

/** A request that changes something. */
export type RequestWithId<Desc extends DescMessage> = MessageShape<Desc> & { requestId: string };

/** A request id that is bound to a body. */
export interface ClaimedRequest {
  /** Whether the same request was received before. */
  readonly isDuplicate: boolean;
  /** Hash of the body, see {@link fingerprintOf}. */
  readonly fingerprint: Buffer;
  /** The encoded response, if an earlier duplicate has stored one. */
  readonly stored: Uint8Array | undefined;
  /** Stores the encoded response unless a concurrent duplicate was first, and returns the one that is stored. */
  store(response: Uint8Array): Promise<Uint8Array>;
}

/**
 * Binds a request id to the body it came with and reads the response that is stored under it. Nothing may be written before. A request that was
 * interrupted before its response was stored runs again, so that everything written between claim and `store` must be idempotent.
 *
 * @throws {PetakError} REQUEST_ID_REUSED if the id came with another body.
 */
export async function claimOnce(
  requestIds: Pick<RequestIds, "claim" | "findResponse" | "storeResponse">,
  { participantId }: Pick<ParticipantCaller, "participantId">,
  requestId: string,
  fingerprint: Buffer,
): Promise<ClaimedRequest> {
  const isDuplicate = await requestIds.claim(participantId, requestId, fingerprint);
  return {
    isDuplicate,
    fingerprint,
    stored: isDuplicate ? await requestIds.findResponse(participantId, requestId, fingerprint) : undefined,
    store: (response) => requestIds.storeResponse(participantId, requestId, fingerprint, response),
  };
}

/**
 * Runs `work` unless the response to the same request is stored, stores its response under the request's idempotency key, and returns the stored
 * response to every duplicate. Duplicates that run concurrently get the response that was stored first.
 *
 * @param work must be idempotent: a request that was interrupted before its response was stored runs again
 * @throws {PetakError} REQUEST_ID_REUSED if the id came with another body, or with a key of the other network.
 */
export async function once<Request extends DescMessage, Response extends DescMessage>(
  requestIds: Pick<RequestIds, "claim" | "findResponse" | "storeResponse">,
  caller: Pick<ParticipantCaller, "participantId" | "mode">,
  schemas: CallSchemas<Request, Response>,
  request: RequestWithId<Request>,
  work: (claimed: ClaimedRequest) => Promise<MessageShape<Response>>,
): Promise<MessageShape<Response>> {
  const fingerprint = fingerprintOf(schemas.request, request, schemas.bodyNamesNetwork === true ? "live" : caller.mode);
  const claimed = await claimOnce(requestIds, caller, request.requestId, fingerprint);
  const stored = claimed.stored ?? (await claimed.store(toBinary(schemas.response, await work(claimed), { writeUnknownFields: false })));
  return fromBinary(schemas.response, stored);
}
