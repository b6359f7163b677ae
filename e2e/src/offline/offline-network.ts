import { newHolder, type SimulatedHolder } from "@petak/agent/simulation";
import { createRequestSigner } from "@petak/client/node";
import { makeSite, type Random, type SiteFacts, tempDir, type useRedis } from "@petak/testkit";
import { type ClockedNetwork, startClockedNetwork } from "../testing/clocked-network.ts";
import { type RoughTerminal, startRoughTerminal } from "./rough-terminal.ts";
import type { Disks } from "./use-disks.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A network with some terminals, each with two small places and a large one. All terminals follow its clock. */
export interface OfflineNetwork extends ClockedNetwork {
  holder: SimulatedHolder;
  terminals: readonly RoughTerminal[];
}

const compartments = ["S1", "S2", "L1"].map((compartmentId) => ({ compartmentId, sizeClassId: compartmentId.slice(0, 1) }));
/** A parcel for each size class. */
export const parcels = {
  S: { widthMm: 200, heightMm: 100, depthMm: 300, massG: 1000 },
  L: { widthMm: 500, heightMm: 300, depthMm: 500, massG: 1000 },
};

/**
 * Starts it. The gateway goes by a test clock, and the terminals by the same or by a wrong one.
 *
 * @param keyPrefix its keys in Redis
 * @param disks those of the running test
 * @param random chooses what the terminals' lines lose and deliver twice. Default: nothing
 */
export async function startOfflineNetwork(
  redis: ReturnType<typeof useRedis>,
  { keyPrefix, sites, disks, random }: { keyPrefix: string; sites: number; disks: Disks; random?: Random },
): Promise<OfflineNetwork> {
  const terms = { collectWithinMs: dayMs, storageMaxMs: 3 * dayMs };
  const around = await startClockedNetwork(redis, { keyPrefix, holdDefaultMs: hourMs, ...terms, agentSyncIntervalMs: 30 * minuteMs });
  const { network, operator, clock } = around;
  const classes: SiteFacts["classes"] = [
    ["S", 250, 150, 350, 20_000, 2],
    ["L", 600, 400, 600, 20_000, 1],
  ];
  const terminals: RoughTerminal[] = [];
  const folder = await tempDir();
  for (let index = 0; index < sites; index += 1) {
    const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: `site-${index}`, classes }, { compartments });
    const siteId = await network.putSite(operator, site);
    const reportKey = await network.agentKey(operator, siteId);
    const { agents } = network.clientFor(createRequestSigner(reportKey));
    terminals.push(await startRoughTerminal({ siteId, agents, reportKey, compartments, clock, folder, disks, random: random?.fork() }));
  }
  return {
    ...around,
    holder: await newHolder(),
    terminals,
    async stop() {
      for (const terminal of terminals) await terminal.stop();
      await around.stop();
    },
  };
}
