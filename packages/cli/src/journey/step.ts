import type { Presentation } from "@petak/agent";
import type { Event, IssueCredentialResponse, Reservation, SiteOption, SiteSummary } from "@petak/protocol";

/** One thing that has just happened to the parcel. */
export type Step =
  | { step: "options found"; options: SiteOption[] }
  | { step: "place held"; reservation: Reservation; site: SiteSummary | undefined; distanceM: number }
  | { step: "confirmed"; reservation: Reservation }
  | { step: "credential issued"; act: "deposit" | "collect"; credential: IssueCredentialResponse }
  | { step: "terminal ready"; siteId: string; compartments: number }
  | { step: "door opened"; act: "deposit" | "collect"; by: "access token" | "PIN"; presentation: Presentation & { opened: true } }
  | { step: "deposited"; reservation: Reservation }
  | { step: "collected"; reservation: Reservation }
  | { step: "custody chain"; reservation: Reservation; events: Event[] };
