import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** Does what a request asks for once, and answers its repetitions as it answered the first time. */
export interface RememberedAnswers {
  /**
   * Does the work unless its answer is known. Of a request that was cut short the work is done again, so that it must be good to do twice.
   *
   * @throws {PetakError} REQUEST_ID_REUSED where the id came with another body, or with a key of the other network.
   */
  once<Request extends DescMessage, Answer extends DescMessage>(
    caller: Pick<ParticipantCaller, "participantId" | "mode">,
    schemas: { request: Request; answer: Answer },
    request: MessageShape<Request> & { requestId: string },
    work: () => Promise<MessageShape<Answer>>,
  ): Promise<MessageShape<Answer>>;
}

/** Makes it over the record of request ids. */
export function createRememberedAnswers(requestIds: RequestIds): RememberedAnswers {
  return {
    async once({ participantId, mode }, schemas, request, work) {
      const { requestId } = request;
      const fingerprint = fingerprintOf(schemas.request, request, mode);
      const isRepetition = await requestIds.claim(participantId, requestId, fingerprint);
      const known = isRepetition ? await requestIds.kept(participantId, requestId, fingerprint) : undefined;
      if (known !== undefined) return fromBinary(schemas.answer, known);
      const answer = await work();
      return fromBinary(
        schemas.answer,
        await requestIds.keep(participantId, requestId, fingerprint, toBinary(schemas.answer, answer, { writeUnknownFields: false })),
      );
    },
  };
}
