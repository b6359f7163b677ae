import type { DescMessage } from "@bufbuild/protobuf";
import type { RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { RequestWithId } from "./once.ts";

/**
 * Binds a request id to the body it came with, for calls that store no response, or store it in the same step as their change. Returns the fingerprint
 * of the body.
 *
 * @throws {PetakError} REQUEST_ID_REUSED if the id came with another body.
 */
export async function claimRequest<Request extends DescMessage>(
  requestIds: Pick<RequestIds, "claim">,
  { participantId }: Pick<ParticipantCaller, "participantId">,
  schema: Request,
  request: RequestWithId<Request>,
): Promise<Buffer> {
  const fingerprint = fingerprintOf(schema, request);
  await requestIds.claim(participantId, request.requestId, fingerprint);
  return fingerprint;
}
