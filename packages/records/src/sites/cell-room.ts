import { DecodedBlock, indexCellOf, recordBytes, recordFlag } from "@petak/allocator";
import { type ModeName, type Site, SiteLifecycle } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { type Quotas, quotaExhausted } from "../quotas/quotas.ts";
import type { RegionChanges } from "./region-lists.ts";

/** How many sites of one operator a cell may have in a network, and how many of all operators in the test network, as lua/put-site.lua has it. */
function cellLimits({ cellSitesMax }: Quotas): { own: number; test: number } {
  return { own: cellSitesMax, test: 2 * cellSitesMax };
}

/** The error for a site that would be one too many in its index cell. @param used how many the operator has there; negative: the test network has as many as it may */
export function cellFull(quotas: Quotas, { operatorId, cell }: { operatorId: string; cell: string }, used: number, adding = 1): Error {
  const { own, test } = cellLimits(quotas);
  if (used >= 0) return quotaExhausted({ quota: "cellSitesMax", limit: own, used, adding, subject: operatorId });
  return quotaExhausted({ quota: "cellSitesMax", limit: test, used: test, adding, subject: cell });
}

/** The sites of a cell that count: the operator's in the network, and all of the test network. */
interface CellSites {
  own: number;
  test: number;
  /** `own` as it is stored. */
  readonly stored: number;
}

/**
 * Looks whether the index cells of a region have room for changes of several sites, without writing anything.
 *
 * @returns whether they have in whatever order the changes are made; else only in the given order
 * @throws {PetakError} QUOTA_EXHAUSTED if they have not.
 */
export async function findCellRoom(
  redis: RedisConnection,
  keys: Keys,
  siteIds: SiteIds,
  quotas: Quotas,
  { region, mode, operatorId, sites }: RegionChanges,
): Promise<boolean> {
  const changes = sites.map(([before, after]) => ({ from: before && offeredIn(before), to: offeredIn(after) }));
  const moves = changes.filter(({ from, to }) => from !== to);
  const comers = Map.groupBy(moves, ({ to }) => to);
  const limits = cellLimits(quotas);
  /** Those cells that the changes might fill. */
  const cells = new Map<string, CellSites>();
  await Promise.all(
    [...comers].map(async ([cell, { length }]) => {
      if (cell === undefined) return;
      const block = keys.block(region, cell);
      if ((await redis.strlen(block)) / recordBytes + length <= limits.own) return;
      const [bytes, operatorNumber] = await Promise.all([redis.getBuffer(block), redis.hget(keys.operatorNumbers(), operatorId)]);
      cells.set(cell, countSites(new DecodedBlock(bytes ?? Buffer.alloc(0), siteIds), operatorNumber, mode));
    }),
  );
  const isBeyond = ({ own, test }: Pick<CellSites, "own" | "test">) => own > limits.own || (mode === "test" && test > limits.test);
  const isAnyOrder = [...cells].every(([cell, { own, test }]) => {
    const { length = 0 } = comers.get(cell) ?? [];
    return !isBeyond({ own: own + length, test: test + length });
  });
  if (isAnyOrder) return true;
  for (const { from = "", to = "" } of moves) {
    const [left, entered] = [cells.get(from), cells.get(to)];
    if (left !== undefined) add(left, -1);
    if (entered === undefined) continue;
    add(entered, 1);
    if (!isBeyond(entered)) continue;
    throw cellFull(quotas, { operatorId, cell: to }, entered.own > limits.own ? entered.stored : -1, comers.get(to)?.length);
  }
  return false;
}

function add(sites: CellSites, count: number): void {
  sites.own += count;
  sites.test += count;
}

function countSites(block: DecodedBlock, operatorNumber: string | null, mode: ModeName): CellSites {
  const counted = { own: 0, test: 0 };
  for (let index = 0; index < block.count; index++) {
    const isTest = ((block.flags[index] as number) & recordFlag.test) !== 0;
    if (isTest) counted.test += 1;
    if (isTest === (mode === "test") && block.operatorNumber(index) === Number(operatorNumber)) counted.own += 1;
  }
  return { ...counted, stored: counted.own };
}

/** The index cell in which a site is offered. Undefined: it is not offered. */
function offeredIn({ lifecycle, intake, position }: Site): string | undefined {
  return lifecycle === SiteLifecycle.ACTIVE && intake?.paused !== true && position !== undefined ? indexCellOf(position) : undefined;
}
