import { DecodedBlock, occupiedCells, recordFlag } from "@petak/allocator";
import type { Region } from "@petak/protocol";
import { createScript } from "../lua/create-script.ts";
import type { UpgradeSources } from "./upgrade-sources.ts";

/** The records of each owner that name each entry of a list: `owner number` → how many. */
type Uses = Map<string, number>;

const convertScript = createScript("convert-list");

/** Blocks that are read at once. */
const blocksAtOnce = 500;

/**
 * Version 3 counts which records name the size profiles and opening times of a region. Before, the lists were only ever added to; what no record names is
 * dropped.
 */
export async function convertRegionLists(sources: UpgradeSources): Promise<void> {
  const { redis, keys } = sources;
  for (const region of await redis.smembers(keys.regions())) {
    const isThere = await redis.exists(keys.formerProfiles(region), keys.formerOpeningTimes(region));
    if (isThere === 0) continue;
    const { profiles, hours } = await usesIn(sources, region);
    await convertScript(
      redis,
      [keys.formerProfiles(region), keys.profiles(region), keys.profileUses(region)],
      [0, ...argumentsOf(profiles)],
    );
    await convertScript(
      redis,
      [keys.formerOpeningTimes(region), keys.openingTimes(region), keys.openingTimesUses(region)],
      [1, ...argumentsOf(hours)],
    );
  }
}

async function usesIn({ redis, keys, siteIds }: UpgradeSources, region: Region): Promise<{ profiles: Uses; hours: Uses }> {
  const [profiles, hours]: [Uses, Uses] = [new Map(), new Map()];
  const cells = occupiedCells(region, (await redis.getBuffer(keys.occupiedCells(region))) ?? Buffer.alloc(0));
  for (let from = 0; from < cells.length; from += blocksAtOnce) {
    const blocks = await redis.mgetBuffer(cells.slice(from, from + blocksAtOnce).map((cell) => keys.block(region, cell)));
    for (const bytes of blocks) {
      if (bytes === null) continue;
      const block = new DecodedBlock(bytes, siteIds);
      for (let index = 0; index < block.count; index++) {
        const owner = `${block.operatorNumber(index)}${((block.flags[index] as number) & recordFlag.test) === 0 ? "l" : "t"}`;
        add(profiles, `${owner} ${block.profileNumber(index)}`);
        const hoursNumber = block.hoursNumber(index);
        if (hoursNumber > 0) add(hours, `${owner} ${hoursNumber}`);
      }
    }
  }
  return { profiles, hours };
}

function add(uses: Uses, name: string): void {
  uses.set(name, (uses.get(name) ?? 0) + 1);
}

function argumentsOf(uses: Uses): (string | number)[] {
  return [...uses].flatMap(([name, count]) => [...name.split(" "), count]);
}
