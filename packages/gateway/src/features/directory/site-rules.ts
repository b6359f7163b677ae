import { checkTerms } from "@petak/lifecycle";
import { type ExceptionalDay, invalidField, type LocalDate, type Site, type WeeklyPeriod } from "@petak/protocol";

/**
 * Checks the rules of a site that the schema cannot express.
 *
 * @param path path of the site in the request, e.g. `sites[3]`
 * @throws {PetakError} INVALID_FIELD.
 */
export function checkSiteRules(site: Site, path: string): void {
  checkTimeZone(site.timeZone, `${path}.time_zone`);
  checkWeekly(site.openingHours?.weekly ?? [], `${path}.opening_hours.weekly`);
  checkExceptions(site.openingHours?.exceptions ?? [], `${path}.opening_hours.exceptions`);
  checkPlaces(site, path);
  checkHeights(site, path);
  if (site.terms !== undefined) checkTerms(site.terms, `${path}.terms`, site.isTest);
}

function checkTimeZone(timeZone: string, path: string): void {
  try {
    // Node also accepts offsets such as +08:00, which have no daylight saving time and which other implementations reject.
    if (/^[+-]/.test(timeZone)) throw new RangeError("an offset");
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw invalidField(path, `${JSON.stringify(timeZone)} is not an IANA time zone that this gateway knows`, "site.time_zone");
  }
}

function checkWeekly(weekly: readonly WeeklyPeriod[], path: string): void {
  weekly.forEach(({ openDay, openMinute, closeDay, closeMinute }, index) => {
    if (closeDay === openDay && closeMinute <= openMinute) {
      throw invalidField(
        `${path}[${index}].close_minute`,
        `${closeMinute} must be greater than open_minute ${openMinute} on the same day; if it closes after midnight, set close_day to the next day`,
        "weekly_period.order",
      );
    }
  });
}

function checkExceptions(exceptions: readonly ExceptionalDay[], path: string): void {
  const seen = new Set<string>();
  exceptions.forEach(({ date, open }, index) => {
    const day = date === undefined ? "" : isoDate(date);
    if (date !== undefined && new Date(`${day}T00:00:00Z`).getUTCDate() !== date.day) {
      throw invalidField(`${path}[${index}].date`, `${day} is not a date of the calendar`, "local_date.exists");
    }
    if (seen.has(day))
      throw invalidField(`${path}[${index}].date`, `must be distinct: ${day} occurs twice`, "opening_hours.exceptions_distinct");
    seen.add(day);
    open.forEach(({ openMinute, closeMinute }, range) => {
      if (closeMinute <= openMinute) {
        throw invalidField(
          `${path}[${index}].open[${range}].close_minute`,
          `${closeMinute} must be greater than open_minute ${openMinute}`,
          "minute_range.order",
        );
      }
    });
  });
}

function isoDate({ year, month, day }: LocalDate): string {
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

function checkPlaces({ sizeClasses, compartments }: Site, path: string): void {
  const listed = new Map<string, number>();
  sizeClasses.forEach(({ sizeClassId }, index) => {
    if (listed.has(sizeClassId)) {
      throw invalidField(
        `${path}.size_classes[${index}].size_class_id`,
        `must be distinct: ${sizeClassId} occurs twice`,
        "site.size_classes_distinct",
      );
    }
    listed.set(sizeClassId, 0);
  });
  if (compartments.length === 0) return;
  const doors = new Set<string>();
  compartments.forEach(({ compartmentId, sizeClassId }, index) => {
    const count = listed.get(sizeClassId);
    if (count === undefined) {
      throw invalidField(
        `${path}.compartments[${index}].size_class_id`,
        `${sizeClassId} is not one of the site's size_classes`,
        "site.compartment_size_class",
      );
    }
    if (doors.has(compartmentId)) {
      throw invalidField(
        `${path}.compartments[${index}].compartment_id`,
        `must be distinct: ${compartmentId} occurs twice`,
        "site.compartments_distinct",
      );
    }
    doors.add(compartmentId);
    listed.set(sizeClassId, count + 1);
  });
  sizeClasses.forEach(({ sizeClassId, installed }, index) => {
    const count = listed.get(sizeClassId);
    if (count !== installed) {
      throw invalidField(
        `${path}.size_classes[${index}].installed`,
        `is ${installed}, but compartments lists ${count} of size class ${sizeClassId}`,
        "site.installed_matches_compartments",
      );
    }
  });
}

/** Checks that compartments lie within the heights that their size class promises. */
function checkHeights({ sizeClasses, compartments }: Site, path: string): void {
  sizeClasses.forEach(({ lowestCentreHeightMm: lowest, highestCentreHeightMm: highest }, index) => {
    if (lowest > 0 && highest > 0 && highest < lowest) {
      throw invalidField(
        `${path}.size_classes[${index}].highest_centre_height_mm`,
        `${highest} must not be less than lowest_centre_height_mm ${lowest}`,
        "size_class.centre_height_order",
      );
    }
  });
  const classes = new Map(sizeClasses.map((sizeClass) => [sizeClass.sizeClassId, sizeClass]));
  compartments.forEach(({ sizeClassId, centreHeightMm }, index) => {
    const { lowestCentreHeightMm: lowest = 0, highestCentreHeightMm: highest = 0 } = classes.get(sizeClassId) ?? {};
    if (centreHeightMm === 0) return;
    if (centreHeightMm < lowest || (highest > 0 && centreHeightMm > highest)) {
      throw invalidField(
        `${path}.compartments[${index}].centre_height_mm`,
        `${centreHeightMm} is outside the heights of size class ${sizeClassId}, ${lowest} to ${highest} mm`,
        "site.compartment_height_in_size_class",
      );
    }
  });
}
