import {
  type HandoverEntry,
  type HandoverList,
  type HandoverParcel,
  handoverEntryHash,
  handoverListHash,
  inHandoverOrder,
} from "./list.ts";
import type { HandoverException, SiteCode } from "./site-code.ts";

/** What a courier finds when it compares its own parcels with a site's code. */
export interface HandoverComparison {
  /** The site's list, if every parcel of it is one of the courier's: its hash is the signed one. */
  readonly list: HandoverList | undefined;
  /** The courier's parcels that are not on the site's list. */
  readonly missing: readonly HandoverParcel[];
  /** How many parcels of the site's list are none of the courier's. */
  readonly unknown: number;
}

const ok: HandoverException = { condition: "OK", reason: "" };

/**
 * Finds a site's list from its code and the courier's own parcels. Without marks in the code only a list of exactly these parcels is found, with the conditions
 * that the driver names.
 *
 * @param parcels the courier's parcels for the site, each once, with what the driver knows of their conditions; no condition means OK
 */
export async function compareWithSite(
  { statement, marks }: SiteCode,
  parcels: readonly (HandoverParcel & Partial<HandoverException>)[],
): Promise<HandoverComparison> {
  const { siteId, direction, courierId, nonce, atMs, listHash } = statement;
  const own = inHandoverOrder(parcels);
  const listed = async (entries: HandoverEntry[]): Promise<HandoverList | undefined> => {
    const list = { siteId, direction, courierId, nonce, atMs, entries };
    return entries.length > 0 && (await handoverListHash(list)) === listHash ? list : undefined;
  };
  if (marks === undefined) {
    const list = await listed(own.map((parcel) => asEntry(parcel, { ...ok, ...parcel })));
    return { list, missing: [], unknown: 0 };
  }
  const expected = marks.marks.map((mark, index) => ({ mark, ...(marks.exceptions.get(index) ?? ok) }));
  const hashes = new Map<string, number>();
  for (const parcel of own) {
    for (const exception of [ok, ...new Set(marks.exceptions.values())]) {
      hashes.set(nameOf(parcel, exception), markOf(await handoverEntryHash(nonce, asEntry(parcel, exception))));
    }
  }
  const isMarked = (parcel: HandoverParcel, entry: Expected) => hashes.get(nameOf(parcel, entry)) === entry.mark;
  const pairs = longestMatch(own, expected, isMarked);
  const unpaired = own.filter((parcel) => !pairs.some(([paired]) => paired === parcel));
  const unknown = expected.length - pairs.length;
  if (unknown > 0) return { list: undefined, missing: unpaired, unknown };
  for (const [entries, missing] of alternatives(pairs, unpaired, isMarked)) {
    const list = await listed(entries);
    if (list !== undefined) return { list, missing, unknown };
  }
  return { list: undefined, missing: unpaired, unknown };
}

type Expected = HandoverException & { readonly mark: number };
type Pair = readonly [HandoverParcel, Expected];

/** The entries of pairs, and those in which a parcel without an entry takes the place of one that has the same mark; with the parcels that are left. */
function* alternatives(
  pairs: readonly Pair[],
  unpaired: readonly HandoverParcel[],
  isMarked: (parcel: HandoverParcel, entry: Expected) => boolean,
): Generator<[entries: HandoverEntry[], missing: HandoverParcel[]]> {
  const entriesOf = (some: readonly Pair[]) => some.map(([parcel, entry]) => asEntry(parcel, entry));
  yield [entriesOf(pairs), [...unpaired]];
  for (const [at, parcel] of unpaired.entries()) {
    for (const [index, [paired, entry]] of pairs.entries()) {
      if (isMarked(parcel, entry)) yield [entriesOf(pairs.with(index, [parcel, entry])), inHandoverOrder(unpaired.with(at, paired))];
    }
  }
}

function asEntry({ reservationId, labelCode }: HandoverParcel, { condition, reason }: HandoverException): HandoverEntry {
  return { reservationId, labelCode, condition, reason };
}

function nameOf({ reservationId, labelCode }: HandoverParcel, { condition, reason }: HandoverException): string {
  return [reservationId, condition, reason, labelCode].join();
}

function markOf(hash: Uint8Array): number {
  return new DataView(hash.buffer, hash.byteOffset).getUint16(0);
}

/** The most pairs of equal elements, in the order of both lists. */
function longestMatch<One, Other>(
  ones: readonly One[],
  others: readonly Other[],
  isSame: (one: One, other: Other) => boolean,
): (readonly [One, Other])[] {
  // lengths[i][j]: the most pairs of the elements from i and j on.
  const lengths = Array.from({ length: ones.length + 1 }, () => new Uint16Array(others.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = ones.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) {
      const row = lengths[i];
      const same = isSame(ones[i] as One, others[j] as Other);
      if (row) row[j] = Math.max(at(i + 1, j), at(i, j + 1), same ? at(i + 1, j + 1) + 1 : 0);
    }
  }
  const pairs: (readonly [One, Other])[] = [];
  for (let i = 0, j = 0; i < ones.length && j < others.length; ) {
    const [one, other] = [ones[i] as One, others[j] as Other];
    if (isSame(one, other) && at(i, j) === at(i + 1, j + 1) + 1) {
      pairs.push([one, other]);
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
