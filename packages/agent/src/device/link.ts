import { Code, ConnectError } from "@connectrpc/connect";
import { type PetakClient, reasonOf } from "@petak/client";
import { type TlsProblem, tlsProblemOf } from "@petak/client/node";
import type { AgentOptions } from "../agent.ts";
import { isOtherInCharge } from "../uplink/epoch.ts";
import type { LinkState, Tell } from "./facts.ts";

/** The link between an agent and its gateway. */
export interface Link {
  readonly client: AgentOptions["client"];
  state(): LinkState;
  cut(isCut: boolean): void;
}

/** Makes the link of a device, which tells when its state changes. @param isTls whether certificates may be why the gateway is not reached */
export function createLink(agents: PetakClient["agents"], tell: Tell, isTls: boolean): Link {
  let state: LinkState = "unknown";
  let isCut = false;
  const streams = new Set<AbortController>();

  function become(next: LinkState, reason?: string, tls?: TlsProblem): void {
    if (next === state) return;
    state = next;
    tell({ event: "link", state, ...(reason !== undefined && { reason }), ...(tls !== undefined && { tls }) });
  }

  async function over<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (isCut) throw new ConnectError("the link is cut", Code.Unavailable);
    try {
      const answer = await call();
      if (!isCut) become("online");
      return answer;
    } catch (error) {
      const reason = reasonOf(error);
      const isRefused = isOtherInCharge(reason) || (reason !== undefined && ConnectError.from(error).code === Code.Unauthenticated);
      if (isCut) throw error;
      if (isRefused) become("refused", reason);
      else if (reason === undefined) become("unreachable", undefined, isTls ? tlsProblemOf(error) : undefined);
      else become("online");
      throw error;
    }
  }

  return {
    client: {
      boot: (request, options) => over(() => agents.boot(request, options)),
      sync: (request, options) => over(() => agents.sync(request, options)),
      reportEvents: (request, options) => over(() => agents.reportEvents(request, options)),
      resolveCode: (request, options) => over(() => agents.resolveCode(request, options)),
      async *watchCommands(request, options) {
        if (isCut) throw new ConnectError("the link is cut", Code.Unavailable);
        const cutting = new AbortController();
        const { signal = cutting.signal } = options ?? {};
        streams.add(cutting);
        try {
          yield* agents.watchCommands(request, { ...options, signal: AbortSignal.any([signal, cutting.signal]) });
        } finally {
          streams.delete(cutting);
        }
      },
    },
    state: () => state,
    cut(cutNow) {
      isCut = cutNow;
      if (isCut) for (const stream of streams) stream.abort();
      become(cutNow ? "cut" : "unknown");
    },
  };
}
