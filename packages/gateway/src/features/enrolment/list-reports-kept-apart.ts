import { create } from "@bufbuild/protobuf";
import {
  type ListReportsKeptApartRequest,
  type ListReportsKeptApartResponse,
  ListReportsKeptApartResponseSchema,
  type ReportKeptApart,
} from "@petak/protocol";
import type { ReportsApart, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findOwnSite } from "../sites/find-sites.ts";

export interface ListReportsKeptApartDependencies {
  sites: Pick<SiteStore, "find">;
  reportsApart: Pick<ReportsApart, "at">;
}

/** Returns the reports of devices that are not in charge of a site of the caller. */
export async function listReportsKeptApart(
  { sites, reportsApart }: ListReportsKeptApartDependencies,
  { siteId }: ListReportsKeptApartRequest,
  caller: ParticipantCaller,
): Promise<ListReportsKeptApartResponse> {
  await findOwnSite(sites, siteId, caller);
  const reports = (await reportsApart.at(siteId)).sort(inOrder);
  return create(ListReportsKeptApartResponseSchema, { reports });
}

function inOrder(one: ReportKeptApart, other: ReportKeptApart): number {
  if (one.keyId !== other.keyId) return one.keyId < other.keyId ? -1 : 1;
  return Number((one.event?.sequence ?? 0n) - (other.event?.sequence ?? 0n));
}
