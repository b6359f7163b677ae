import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { hasEnded, labelCodesOf } from "@petak/lifecycle";
import {
  CodeStanding,
  type Reservation,
  ReservationState,
  type ResolveCodeRequest,
  type ResolveCodeResponse,
  ResolveCodeResponseSchema,
} from "@petak/protocol";
import { canonicalLabelCode } from "@petak/protocol/label-code";
import type { LabelIndex, ReservationStore, SiteStore } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import { type NamedAllowancesDependencies, namedAllowances } from "./named-allowances.ts";

export interface ResolveCodeDependencies extends NamedAllowancesDependencies {
  labelIndex: Pick<LabelIndex, "find">;
  reservations: Pick<ReservationStore, "find" | "allowed">;
  sites: Pick<SiteStore, "facts">;
}

const S = ReservationState;

/** States in which a parcel is expected at its site, or is there. */
const present: ReadonlySet<ReservationState> = new Set([S.CONFIRMED, S.DEPOSITED, S.IN_DOUBT]);

/** Tells an agent where the parcel with a scanned code belongs: of its operator's sites, and of those of other sites only the names. */
export async function resolveCode(
  dependencies: ResolveCodeDependencies,
  { code }: ResolveCodeRequest,
  caller: AgentCaller,
): Promise<ResolveCodeResponse> {
  const { siteId } = caller;
  const found = await withCode(dependencies, code, caller);
  const here = found.filter((reservation) => reservation.siteId === siteId);
  const presentIds = here.filter(({ state }) => present.has(state)).map(({ reservationId }) => reservationId);
  if (presentIds.length > 0) {
    const allowances = await namedAllowances(dependencies, await dependencies.reservations.allowed(siteId, presentIds));
    return answer({ standing: CodeStanding.EXPECTED_HERE, allowances });
  }
  const otherSiteIds = found.filter(({ state }) => present.has(state)).map((reservation) => reservation.siteId);
  if (otherSiteIds.length > 0) {
    const sites = await dependencies.sites.facts([...new Set(otherSiteIds)]);
    const names = new Set(sites.flatMap((site) => site?.name ?? []));
    return answer({ standing: CodeStanding.ELSEWHERE, otherSiteNames: [...names] });
  }
  const isHeld = here.some(({ state }) => state === S.HELD);
  const ended = here.find(hasEnded);
  if (ended === undefined) return answer({ standing: CodeStanding.UNKNOWN, isHeld });
  return answer({ standing: CodeStanding.ENDED, endedState: ended.state, isHeld });
}

/** The reservations of the caller's operator and network that have a code, those that were made or confirmed last first. */
async function withCode({ labelIndex, reservations }: ResolveCodeDependencies, code: string, caller: AgentCaller): Promise<Reservation[]> {
  const { participantId: operatorId, mode } = caller;
  const ids = await labelIndex.find({ mode, operatorId }, code);
  const found = await Promise.all(ids.map((reservationId) => reservations.find(reservationId)));
  return found.flatMap((reservation) => {
    const isHis = reservation?.operatorId === operatorId && reservation.isTest === (mode === "test");
    return isHis && labelCodesOf(reservation).map(canonicalLabelCode).includes(canonicalLabelCode(code)) ? [reservation] : [];
  });
}

function answer(response: MessageInitShape<typeof ResolveCodeResponseSchema>): ResolveCodeResponse {
  return create(ResolveCodeResponseSchema, response);
}
