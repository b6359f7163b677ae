import { sha256 } from "#platform/sha256";
import type { Bytes } from "../bytes/bytes.ts";

/** Hashes of 32 bytes. */
export type Hashes = readonly Uint8Array[];

/** The root of a tree of hashes: each pair becomes one, and the last of an odd number goes up as it is. Throws a RangeError if there are none. */
export async function rootOf(leaves: Hashes): Promise<Uint8Array> {
  const [only, ...others] = leaves;
  if (only === undefined) throw new RangeError("a tree needs at least one hash");
  return others.length === 0 ? only : await rootOf(await levelAbove(leaves));
}

/** What leads from the leaf at `index` to the root: the neighbour at each level where it has one, the lowest first. */
export async function pathOf(leaves: Hashes, index: number): Promise<Hashes> {
  if (leaves.length < 2) return [];
  const neighbour = leaves[index ^ 1];
  return [...(neighbour ? [neighbour] : []), ...(await pathOf(await levelAbove(leaves), index >> 1))];
}

/** The root to which a path leads from the leaf at `index` of `count`. Undefined if the path has another length than such a leaf's. */
export async function rootAlong(leaf: Uint8Array, index: number, count: number, path: Hashes): Promise<Uint8Array | undefined> {
  if (count < 2) return path.length === 0 && index === 0 ? leaf : undefined;
  const hasNeighbour = (index ^ 1) < count;
  const [neighbour, ...rest] = path;
  if (hasNeighbour && neighbour === undefined) return undefined;
  const [up, above] =
    hasNeighbour && neighbour ? [await pair(index % 2 === 0 ? [leaf, neighbour] : [neighbour, leaf]), rest] : [leaf, path];
  return rootAlong(up, index >> 1, Math.ceil(count / 2), above);
}

async function levelAbove(hashes: Hashes): Promise<Hashes> {
  const pairs = Array.from({ length: Math.ceil(hashes.length / 2) }, (_, index) => hashes.slice(2 * index, 2 * index + 2));
  return await Promise.all(pairs.map(pair));
}

/** 1 as first byte: the input of a leaf's hash begins with 0. */
async function pair(hashes: Hashes): Promise<Uint8Array> {
  const [left, right] = hashes;
  if (left === undefined || right === undefined) return left ?? new Uint8Array(32);
  const input: Bytes = new Uint8Array(65);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 33);
  return await sha256(input);
}
