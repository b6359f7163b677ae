import type { Sandbox } from "@petak/gateway";
import { type Reason, Role } from "@petak/protocol";
import { SandboxBehaviour, SandboxService } from "@petak/protocol/sandbox";
import { inSideNetwork, untilInFlight } from "../testing/side-network.ts";
import { authorizationOf } from "../testing/world.ts";
import type { Provocation } from "./provocation.ts";

const { listSandboxSites, visitSandboxSite } = SandboxService.method;

/** As many visits of one participant to a site as may be in progress. */
const visitsMax = 4;

/** Provocations of the reasons of the sandbox. */
export const sandboxProvocations = {
  SANDBOX_NOT_READY: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, { sandboxHost: () => undefined }, async ({ network, raw }) => {
        const authorization = await authorizationOf(await network.join("Courier", [Role.COURIER]));
        return await raw.call(protocol, listSandboxSites, {}, { authorization });
      }),
  },
  SANDBOX_SITE_BUSY: {
    async provoke({ redis, protocol }) {
      const end = Promise.withResolvers<void>();
      const sandbox: Sandbox = {
        sites: [{ siteId: "site_slow", operatorSiteRef: "slow", behaviour: SandboxBehaviour.PLAIN }],
        async visit() {
          await end.promise;
          return { opened: false, refusal: 1 };
        },
      };
      return await inSideNetwork(redis, { sandboxHost: () => sandbox }, async ({ network, raw }) => {
        const authorization = await authorizationOf(await network.join("Courier", [Role.COURIER]));
        const request = { siteId: "site_slow", credential: { case: "pin", value: "12345678" } } as const;
        const visits = Array.from({ length: visitsMax }, () => raw.call(protocol, visitSandboxSite, request, { authorization }));
        await untilInFlight(network, "unary", visitsMax);
        const answer = await raw.call(protocol, visitSandboxSite, request, { authorization });
        end.resolve();
        await Promise.all(visits);
        return answer;
      });
    },
    metadata: () => ({ site_id: "site_slow", limit: String(visitsMax) }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
