/** The name in an error of the Connect protocol that this catalogue's reason stands in. */
const errorInfo = "google.rpc.ErrorInfo";

/**
 * The reason in an answer of Connect with an error, e.g. `RATE_LIMITED`; else its code, or `HTTP <status>`.
 *
 * @param body JSON: `{code, message, details: [{type, debug: {reason}}]}`
 */
export function reasonIn(status: number, body: string): string {
  try {
    const { code, details = [] } = JSON.parse(body) as { code?: string; details?: { type?: string; debug?: { reason?: string } }[] };
    return details.find(({ type }) => type === errorInfo)?.debug?.reason ?? code ?? `HTTP ${status}`;
  } catch {
    return `HTTP ${status}`;
  }
}
