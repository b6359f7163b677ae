import type { Message } from "@bufbuild/protobuf";
import type { SiteCapacity } from "../gen/petak/v1/directory_pb.ts";
import type { OpeningHours } from "../gen/petak/v1/opening_hours_pb.ts";
import type { SiteRequirements } from "../gen/petak/v1/site_requirements_pb.ts";

/** Whether a message satisfies a rule. */
type KeepsRule = (message: Message) => boolean;

/** Functions equivalent to CEL expressions of the schema, by the expression's text. A changed expression is not found and falls back to protovalidate. */
export const knownExpressions: ReadonlyMap<string, KeepsRule> = new Map<string, KeepsRule>([
  [
    "this.reporting_ended == (this.size_classes.size() == 0)",
    (message) => {
      const { reportingEnded, sizeClasses } = message as SiteCapacity;
      return reportingEnded === (sizeClasses.length === 0);
    },
  ],
  [
    "!(this.always_open && size(this.weekly) > 0)",
    (message) => {
      const { alwaysOpen, weekly } = message as OpeningHours;
      return !(alwaysOpen && weekly.length > 0);
    },
  ],
  [
    "!(this.any_country && size(this.country_codes) > 0)",
    (message) => {
      const { anyCountry, countryCodes } = message as SiteRequirements;
      return !(anyCountry && countryCodes.length > 0);
    },
  ],
  [
    "this.max_centre_height_mm == 0u || this.min_centre_height_mm <= this.max_centre_height_mm",
    (message) => {
      const { minCentreHeightMm, maxCentreHeightMm } = message as SiteRequirements;
      return maxCentreHeightMm === 0 || minCentreHeightMm <= maxCentreHeightMm;
    },
  ],
]);
