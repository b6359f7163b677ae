import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { Direction, type LeaseMaterial, LeaseMaterialSchema, ParcelPlace } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { Parcels } from "./parcels.ts";

/** What a tablet with the lease decides by. Neither the key of PINs nor their hashes leave the agent: with both, all PINs could be tried. */
export function leaseMaterial({ desk, store, parcels }: { desk: Desk; store: AgentStore; parcels: Parcels }): LeaseMaterial {
  const { counter } = store;
  const { trustBundle, allowances, bundles, clockTrusted, maxSkewMs } = desk.snapshot();
  const onShelf = parcels.list().filter(({ place }) => place !== ParcelPlace.EXPECTED);
  const here = new Set(onShelf.map(({ reservationId }) => reservationId));
  const outgoing = counter.openDeliveries().filter(({ delivery }) => delivery.direction === Direction.OUT);
  const left = Map.groupBy(counter.leftToCollect(), ({ credentialId }) => credentialId);
  const material = create(LeaseMaterialSchema, {
    ...(trustBundle && { trustBundle }),
    allowances: allowances.filter(({ reservationId }) => here.has(reservationId)).map((one) => ({ ...one, pinHash: new Uint8Array() })),
    bundles: bundles
      .filter(({ reservationIds }) => reservationIds.some((reservationId) => here.has(reservationId)))
      .map((one) => ({ ...one, pinHash: new Uint8Array() })),
    parcels: onShelf,
    spentCredentialIds: counter.spentIds(),
    leftToCollect: [...left].map(([credentialId, rows]) => ({
      credentialId,
      reservationIds: rows.map(({ reservationId }) => reservationId),
    })),
    placesInUse: [
      ...store.visits().map(({ compartmentId }) => compartmentId),
      ...outgoing.flatMap(({ delivery }) => delivery.parcels.map(({ shelfPlace }) => shelfPlace)),
    ],
    clockTrusted,
    maxSkewMs,
  });
  const digest = createHash("sha256").update(toBinary(LeaseMaterialSchema, material)).digest("base64url");
  return { ...material, digest };
}
