import { create } from "@bufbuild/protobuf";
import { type GetBundleRequest, type GetBundleResponse, GetBundleResponseSchema } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type GetBundleDependencies = Pick<ReservationDependencies, "bundleChanges" | "reservations">;

/** Returns a bundle with its reservations. */
export async function getBundle(
  { bundleChanges, reservations }: GetBundleDependencies,
  { bundleId }: GetBundleRequest,
  caller: ParticipantCaller,
): Promise<GetBundleResponse> {
  const bundle = await bundleChanges.findOwn(bundleId, caller);
  const found = await Promise.all(bundle.reservationIds.map(reservations.find));
  return create(GetBundleResponseSchema, { bundle, reservations: found.flatMap((reservation) => reservation ?? []) });
}
