import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentOptions } from "@petak/agent";

type AgentCalls = Pick<AgentOptions["client"], "boot" | "sync" | "reportEvents">;

/** The link of a terminal, which can be cut. */
export interface Gate {
  /** The calls that go over it: all, or those that `calls` names. */
  wrap(agents: AgentCalls): AgentCalls;
  setOpen(isOpen: boolean): void;
}

/** Makes a link that is open. @param calls those that fail while it is shut */
export function createGate(calls: readonly (keyof AgentCalls)[] = ["boot", "sync", "reportEvents"]): Gate {
  let isShut = false;
  const over = <Args extends unknown[], Answer>(name: keyof AgentCalls, call: (...args: Args) => Promise<Answer>) =>
    calls.includes(name)
      ? (...args: Args): Promise<Answer> =>
          isShut ? Promise.reject(new ConnectError("the sandbox has cut the link", Code.Unavailable)) : call(...args)
      : call;
  return {
    wrap: ({ boot, sync, reportEvents }) => ({
      boot: over("boot", boot),
      sync: over("sync", sync),
      reportEvents: over("reportEvents", reportEvents),
    }),
    setOpen(isOpen) {
      isShut = !isOpen;
    },
  };
}
