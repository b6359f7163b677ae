import { claimAudience, earlierAudience } from "@petak/records";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Finds the audience of request tokens, and warns of one that other networks have too or that differs from the store's. */
export async function findAudience(
  { writer, keys }: ConnectedStore,
  options: Pick<GatewayOptions, "audience" | "logger">,
): Promise<string> {
  const { audience, stored } = await claimAudience(writer, keys, options.audience ?? "");
  const { logger } = options;
  if (audience === earlierAudience) {
    logger.warn(
      { audience },
      "request tokens for this gateway are good in every network whose audience is 'petak' too: give it an audience of its own, as docs/upgrading.md says",
    );
  }
  if (audience !== stored) {
    logger.warn(
      { audience, stored },
      "the setting audience differs from what the store keeps: gateways without the setting refuse these request tokens",
    );
  }
  return audience;
}
