import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentOptions } from "@petak/agent";
import type { ReportEventsRequest } from "@petak/protocol";
import type { Random } from "@petak/testkit";

/** What an agent calls. */
export type AgentLine = Required<Omit<AgentOptions["client"], "watchCommands">>;

/** Calls that are remembered, to come a second time later. */
const rememberedCalls = 20;

/**
 * Makes a line to a gateway that fails, loses answers, and delivers reports twice, late and out of order, for each life of an agent.
 *
 * @param random chooses what is lost and delivered twice. Undefined: nothing
 */
export function createRoughLine(agents: AgentLine, random: Random | undefined): (isUp: () => boolean) => AgentLine {
  const happens = (probability: number) => random?.bool(probability) ?? false;
  const sent: ReportEventsRequest[] = [];
  const down = () => Promise.reject(new ConnectError("the link is cut", Code.Unavailable));

  return (isUp) => {
    const call =
      <Args extends unknown[], Answer>(method: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        if (!isUp()) return await down();
        const answer = await method(...args);
        return !isUp() || happens(0.05) ? await down() : answer;
      };
    const report = call(agents.reportEvents);
    return {
      boot: call(agents.boot),
      sync: call(agents.sync),
      resolveCode: call(agents.resolveCode),
      async reportEvents(request, calling) {
        if (isUp()) {
          sent.splice(0, Math.max(0, sent.length - rememberedCalls));
          const [old] = random?.shuffle(sent) ?? [];
          if (old !== undefined && happens(0.2)) await agents.reportEvents(old).catch(() => undefined);
          sent.push(request as ReportEventsRequest);
        }
        const answer = await report(request, calling);
        if (happens(0.2)) await agents.reportEvents(request).catch(() => undefined);
        return answer;
      },
    };
  };
}
