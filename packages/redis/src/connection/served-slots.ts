/** Slots of a cluster. */
export interface SlotSet {
  has(slot: number): boolean;
  /** The same text for the same slots. */
  readonly text: string;
}

/** Every slot: a single server has all keys. */
export const allSlots: SlotSet = { has: () => true, text: "all" };

/** No slot. */
export const noSlots: SlotSet = { has: () => false, text: "" };

/**
 * The slots of whose keys a server knows every change, by its own answers to `CLUSTER NODES` and `CLUSTER INFO`. None where it is no master,
 * or has lost sight of the others, who may have replaced it. A slot that it is giving away is left out: keys that it does not have are made
 * at the other server already.
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
