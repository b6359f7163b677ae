import type { Presentation } from "@petak/agent";
import type { Bundle, Event, IssueCredentialResponse, Reservation, SiteOption, SiteSummary } from "@petak/protocol";

/** What a door of a journey opens for. */
export type JourneyAct = "deposit" | "collect" | "recall" | "service";

/** How whoever stands at the door shows the right to open it. */
export type ShownAs = "access token" | "PIN" | "access token and proof of presence";

/** One thing that has just happened to a parcel. */
export type Step =
  | { step: "options found"; options: SiteOption[] }
  | { step: "place held"; reservation: Reservation; site: SiteSummary | undefined; distanceM: number }
  | { step: "confirmed"; reservation: Reservation }
  | { step: "bundled"; bundle: Bundle }
  | { step: "credential issued"; act: JourneyAct; credential: IssueCredentialResponse }
  | { step: "terminal ready"; siteId: string; compartments: number }
  | { step: "door opened"; act: JourneyAct; by: ShownAs; presentation: Presentation & { opened: true } }
  | { step: "deposited"; reservation: Reservation }
  | { step: "closed after work"; reservation: Reservation }
  | { step: "collected"; reservation: Reservation }
  | { step: "recalled"; reservation: Reservation }
  | { step: "custody chain"; reservation: Reservation; events: Event[] };
