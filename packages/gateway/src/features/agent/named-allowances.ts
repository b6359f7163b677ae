import { allowancesOf } from "@petak/lifecycle";
import type { Allowance, Reservation } from "@petak/protocol";
import type { AllowedReservation, OperatorNames } from "@petak/records";

export interface NamedAllowancesDependencies {
  operatorNames: Pick<OperatorNames, "of">;
}

/** A reservation with its allowances, of which there is one at least. */
export interface GivenReservation {
  reservation: Reservation;
  allowances: Allowance[];
}

/** The allowances of reservations, in their order, with the names of the participants that made them. */
export async function namedAllowances(
  dependencies: NamedAllowancesDependencies,
  allowed: readonly AllowedReservation[],
): Promise<Allowance[]> {
  return (await givenReservations(dependencies, allowed)).flatMap(({ allowances }) => allowances);
}

/** The reservations that have allowances, in their order. */
export async function givenReservations(
  { operatorNames }: NamedAllowancesDependencies,
  allowed: readonly AllowedReservation[],
): Promise<GivenReservation[]> {
  const participantIds = [...new Set(allowed.map(({ reservation }) => reservation.participantId))];
  const names = new Map(await Promise.all(participantIds.map(async (id) => [id, await operatorNames.of(id)] as const)));
  return allowed.flatMap(({ reservation, pin }) => {
    const allowances = allowancesOf(reservation, pin, names.get(reservation.participantId) ?? "");
    return allowances.length === 0 ? [] : [{ reservation, allowances }];
  });
}
