import type { Settings } from "../settings/settings.ts";
import type { NotOffered } from "../sites/left-out.ts";
import type { Offer } from "../sites/offer.ts";

/** The names of operators by `operatorId`. */
export type Operators = ReadonlyMap<string, string>;

type OperatedSite = Pick<Offer, "operatorId" | "operatorName">;

/** The operators, and those of sites that were found. A gateway of an earlier release names none. */
export function withOperators(operators: Operators, sites: readonly OperatedSite[]): Operators {
  const named = sites.filter(({ operatorName }) => operatorName !== "");
  return new Map([...operators, ...named.map(({ operatorId, operatorName }) => [operatorId, operatorName] as const)]);
}

/** Those of the operators whose ids are given. */
export function onlyOperators(operators: Operators, operatorIds: ReadonlySet<string>): Operators {
  return new Map([...operators].filter(([operatorId]) => operatorIds.has(operatorId)));
}

/** Whether the shop allows an operator. */
export function allowsOperator({ operatorIds }: Settings, operatorId: string): boolean {
  return operatorIds.length === 0 || operatorIds.includes(operatorId);
}

/** The sites that are not offered because the shopper shows other operators only. */
export function findOthers(settings: Settings, { sites }: NotOffered): readonly OperatedSite[] {
  return sites.filter(({ reason, operatorId }) => reason === "OPERATOR" && allowsOperator(settings, operatorId));
}
