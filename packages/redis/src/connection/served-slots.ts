/** A set of hash slots of a cluster. */
export interface SlotSet {
  has(slot: number): boolean;
  /** Equal for equal sets, so that changes can be detected. */
  readonly text: string;
}

/** All slots, for a single server. */
export const allSlots: SlotSet = { has: () => true, text: "all" };

/** The empty set. */
export const noSlots: SlotSet = { has: () => false, text: "" };

/**
 * The slots for which a server sees every change to their keys, from its replies to `CLUSTER NODES` and `CLUSTER INFO`. Empty if the server
 * is not a master, or sees the cluster as down: it may have been replaced. A slot that is being migrated away is excluded, because keys
 * that this server does not have are already created at the target.
 */
export function servedSlots(nodes: string, info: string): SlotSet {
  const myself = nodes.split("\n").map((line) => line.split(" "));
  const [, , flags = "", , , , , , ...shares] = myself.find(([, , roles = ""]) => roles.split(",").includes("myself")) ?? [];
  if (!flags.split(",").includes("master") || !/^cluster_state:ok\r?$/m.test(info)) return noSlots;
  const leaving = new Set<number>();
  const ranges: [from: number, to: number][] = [];
  for (const share of shares) {
    const moving = /^\[(\d+)->-/.exec(share);
    if (moving !== null) leaving.add(Number(moving[1]));
    else if (/^\d/.test(share)) ranges.push(rangeOf(share));
  }
  return {
    has: (slot) => !leaving.has(slot) && ranges.some(([from, to]) => from <= slot && slot <= to),
    text: shares.join(" "),
  };
}

function rangeOf(share: string): [from: number, to: number] {
  const [from = "", to = from] = share.split("-");
  return [Number(from), Number(to)];
}
