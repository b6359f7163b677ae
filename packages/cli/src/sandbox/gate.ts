import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentOptions } from "@petak/agent";

/** The calls of a terminal to its gateway. */
export type AgentCalls = Pick<AgentOptions["client"], "boot" | "sync" | "reportEvents">;

/** A link by which a terminal asks its gateway, and which can be cut. */
export interface Gate {
  /** The calls that go over it: all by which it hears something, not its reports. */
  wrap(agents: AgentCalls): AgentCalls;
  setOpen(isOpen: boolean): void;
}

/** Makes a link that is open. */
export function createGate(): Gate {
  let isOpen = true;
  const over =
    <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> =>
      isOpen ? call(...args) : Promise.reject(new ConnectError("the sandbox has cut the link", Code.Unavailable));
  return {
    wrap: ({ boot, sync, reportEvents }) => ({ boot: over(boot), sync: over(sync), reportEvents }),
    setOpen(open) {
      isOpen = open;
    },
  };
}
