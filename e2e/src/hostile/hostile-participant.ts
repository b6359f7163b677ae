import { randomUUID } from "node:crypto";
import { clone, type DescMethod, toBinary } from "@bufbuild/protobuf";
import type { ProcessNetwork } from "@petak/testkit/network";
import { nameOfMethod } from "../testing/every-method.ts";
import type { Callers, GoodRequest } from "../testing/good-requests.ts";
import { callersOf, goodRequestsIn, populate, type World } from "../testing/world.ts";

/** The local address of everything hostile, so that the gateway can tell it from its neighbours. */
export const hostileAddress = "127.0.0.2";

/** What a hostile participant sends to one method. */
export interface Weapon {
  readonly method: DescMethod;
  /** The Authorization header of the participant, who is permitted to make the call, or of a courier for what administrators may do. */
  readonly authorization: string;
  /** A valid message that was not sent before. */
  fresh(): Uint8Array;
}

/** Hostile participants of a network. */
export interface Hostile {
  readonly world: World;
  /** What they send by method, with tokens that are good for another minute at least. */
  weapons(): Promise<Map<string, Weapon>>;
}

/** Lets hostile participants join a network, with sites, keys, an agent and reservations of their own. */
export async function joinHostile(network: ProcessNetwork): Promise<Hostile> {
  const world = await populate(network, () => network.stop());
  const requests = await goodRequestsIn(world);
  const weaponOf = ({ method, by, message }: GoodRequest, callers: Callers): Weapon => ({
    method,
    authorization: callers[by === "admin" ? "courier" : by],
    fresh() {
      const copy = clone(method.input, message);
      if ("requestId" in copy) copy.requestId = randomUUID();
      return toBinary(method.input, copy);
    },
  });
  return {
    world,
    async weapons() {
      const callers = await callersOf(world);
      return new Map(requests.map((request) => [nameOfMethod(request.method), weaponOf(request, callers)]));
    },
  };
}
