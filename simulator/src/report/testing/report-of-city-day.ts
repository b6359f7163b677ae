import type { Observation } from "../../observe/observation.ts";
import { createFigures, type FiguresOptions } from "../figures/create-figures.ts";
import type { Report } from "../report.ts";
import { type CityDayOptions, drawCityDay } from "./city-day.ts";

/**
 * The report of a drawn city day.
 *
 * @param change replaces its observations
 */
export function reportOfCityDay(
  day: CityDayOptions,
  change: (observations: readonly Observation[]) => readonly Observation[] = (observations) => observations,
  options: FiguresOptions = {},
): Report {
  const { header, intentions, observations } = drawCityDay(day);
  const figures = createFigures(header, options);
  for (const intention of intentions) figures.intend(intention);
  for (const observation of change(observations)) figures.observe(observation);
  return figures.figures();
}
