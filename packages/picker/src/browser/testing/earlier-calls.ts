/** How a gateway of an earlier release takes what it does not know: this project's refuse it, others may ignore it. */
export type EarlierManner = "refuses" | "ignores";

type Json = Record<string, unknown>;

/**
 * Makes a call one of a release without `CheckFit`, `passed_over_limit` and `open_at`. What is refused gets a name that no gateway knows, so that the answer is a gateway's own.
 *
 * @param method e.g. `petak.v1.DirectoryService/CheckFit`
 */
export function earlierCall(manner: EarlierManner, method: string, body: string): { method: string; body: string } {
  const { passedOverLimit, requirements, ...request } = JSON.parse(body) as Json & { requirements?: Json };
  const { openAt, ...others } = requirements ?? {};
  const unknown = (name: string, value: unknown): Json => (manner === "ignores" || value === undefined ? {} : { [name]: value });
  return {
    method: method.replace(/CheckFit$/, "CheckFitOfLater"),
    body: JSON.stringify({
      ...request,
      ...unknown("passedOverLimitOfLater", passedOverLimit),
      ...(requirements !== undefined && { requirements: { ...others, ...unknown("openAtOfLater", openAt) } }),
    }),
  };
}

/** The answer of such a release. */
export function earlierAnswer(body: string): string {
  const { passedOver, ...answer } = JSON.parse(body) as Json & { passedOver?: Json };
  if (passedOver === undefined) return body;
  const { sites: _sites, countedAt: _countedAt, ...counted } = passedOver;
  return JSON.stringify({ ...answer, passedOver: counted });
}
