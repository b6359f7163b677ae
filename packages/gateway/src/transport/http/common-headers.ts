import { corsHeaders } from "./cors.ts";
import { requestIdHeader } from "./request-id.ts";

/** The headers of every answer, whatever it is. */
export function answerHeadersOf(requestId: string, origin: string | undefined): Record<string, string> {
  return { [requestIdHeader]: requestId, ...corsHeaders(origin) };
}
