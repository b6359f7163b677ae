import type { Account } from "../limits/accounts.ts";
import type { Admission } from "../limits/admission.ts";
import type { Peer } from "../limits/peer.ts";
import type { NodeServerResponse } from "./node-http.ts";
import { giveUp } from "./send-answer.ts";

/**
 * Answers a request that needs no credentials when it is its turn, or closes it if too many wait.
 *
 * @param asked the peer for a health check, else the account of the address
 */
export function answerInTurn(
  { takeTurn }: Pick<Admission, "takeTurn">,
  asked: Peer | Account,
  response: NodeServerResponse,
  answer: () => void,
): void {
  const cancel = takeTurn(asked, answer, () => giveUp(response));
  if (cancel !== undefined) response.once("close", cancel);
}
