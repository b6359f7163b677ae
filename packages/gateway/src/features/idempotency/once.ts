import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** What a request is called, and what it gets. */
export interface CallSchemas<Request extends DescMessage, Response extends DescMessage> {
  request: Request;
  response: Response;
  /**
   * Whether the body alone says which network it is about, by its sites. The fingerprint then leaves out the network of the caller's key. Default
   * false.
   */
  bodyNamesNetwork?: boolean;
}

/** A request that changes something. */
export type RequestWithId<Desc extends DescMessage> = MessageShape<Desc> & { requestId: string };

/**
 * Runs `work` unless the response to the same request is stored, stores its response under the request's idempotency key, and gives the stored
 * response to every duplicate. Duplicates that run at the same time get the response that was stored first.
 *
 * A request that was cut short before its response was stored runs again, so `work` must be idempotent.
 *
 * @throws {PetakError} REQUEST_ID_REUSED if the id came with another body, or with a key of the other network.
 */
export async function once<Request extends DescMessage, Response extends DescMessage>(
  requestIds: Pick<RequestIds, "claim" | "findResponse" | "storeResponse">,
  { participantId, mode }: Pick<ParticipantCaller, "participantId" | "mode">,
  schemas: CallSchemas<Request, Response>,
  request: RequestWithId<Request>,
  work: () => Promise<MessageShape<Response>>,
): Promise<MessageShape<Response>> {
  const { requestId } = request;
  const fingerprint = fingerprintOf(schemas.request, request, schemas.bodyNamesNetwork === true ? "live" : mode);
  const isDuplicate = await requestIds.claim(participantId, requestId, fingerprint);
  const stored = isDuplicate ? await requestIds.findResponse(participantId, requestId, fingerprint) : undefined;
  if (stored !== undefined) return fromBinary(schemas.response, stored);
  const response = toBinary(schemas.response, await work(), { writeUnknownFields: false });
  return fromBinary(schemas.response, await requestIds.storeResponse(participantId, requestId, fingerprint, response));
}
