/**
 * The simulator: traces of what people mean to do in a city, how they are drawn, and how they are run against a gateway. Nothing but {@link runCity} calls anything,
 * and it reads and writes no file but terminals' databases.
 */

export { type ActorParameters, defaultActors, type Faults, noFaults } from "./actors/parameters.ts";
export type { People, Person } from "./city/people.ts";
export { type Point, type PointColumns, peopleAtPoints, readPoints } from "./city/points.ts";
export type { PopulatedArea } from "./city/polygon.ts";
export { peopleInPolygons } from "./city/polygon-people.ts";
export { type Feature, readPolygons } from "./city/read-polygons.ts";
export { peopleOfCity, type SyntheticCity } from "./city/synthetic-city.ts";
export { type WeighedPoints, weighPoints } from "./city/weigh-points.ts";
export { type Assignment, assignParcels, type DayParcel, type DaySite, type Place } from "./delivery/assign-parcels.ts";
export { compareDelivery, type Delivery, type DeliveryComparison } from "./delivery/compare-delivery.ts";
export { type DeliveryParameters, defaultDelivery, type TripShares } from "./delivery/parameters.ts";
export { effectiveAreaKm2, tourKm } from "./delivery/tour-length.ts";
export { type Found, PositionIndex } from "./geo/position-index.ts";
export type { TimeUnit } from "./input/cells.ts";
export { CutOffError, InputError, type InputPlace } from "./input/input-error.ts";
export type { Row } from "./input/table.ts";
export { detailsSource, type IntentionDetails } from "./intentions/draw-details.ts";
export { type DrawnTrace, drawTrace, type TraceOptions } from "./intentions/draw-trace.ts";
export { type Behaviour, defaultBehaviour, type ParcelKind } from "./intentions/parameters.ts";
export { createMeasure, type Measure } from "./measure/measure.ts";
export { type OutcomeClass, outcomeClass } from "./measure/outcome-class.ts";
export { createProgress, type Progress, type ProgressView } from "./measure/progress.ts";
export type { RecentOperation } from "./measure/recent-calls.ts";
export { type MetricsOptions, sampleMetrics } from "./measure/sample-metrics.ts";
export type * from "./measure/summary.ts";
export { defaultLateLimits } from "./measure/summary.ts";
export { judgeThreshold, parseThreshold, type Threshold, type ThresholdResult } from "./measure/threshold.ts";
export type * from "./observe/observation.ts";
export { ends, operations } from "./observe/observation.ts";
export { type RunLog, readRunLog } from "./observe/read-run-log.ts";
export type { Pace, RunHeader } from "./observe/run-header.ts";
export { runHeaderLine } from "./observe/run-header-fields.ts";
export { observationLine, writeRunLog } from "./observe/write-run-log.ts";
export { type OracleOptions, oracleOptionsOf } from "./oracle/options.ts";
export { createOracle, type Oracle } from "./oracle/oracle.ts";
export { oracleRules, type Rule } from "./oracle/rules.ts";
export { Merge, type Stamped } from "./process-group/merge.ts";
export type { ProcessGroup, VisitMade, VisitOrder } from "./process-group/process-group.ts";
export { type ComparedRun, type Comparison, compareReports } from "./report/compare-reports.ts";
export { createFigures, type Figures, type FiguresOptions } from "./report/figures/create-figures.ts";
export type { DeliveryOptions } from "./report/figures/delivery-days.ts";
export type { Plan } from "./report/figures/planned-sites.ts";
export { renderComparison } from "./report/html/render-comparison.ts";
export { renderReport } from "./report/html/render-report.ts";
export { readReport } from "./report/read-report.ts";
export type { Report } from "./report/report.ts";
export type { CityRun } from "./run/city-run.ts";
export { runCity } from "./run/run-city.ts";
export { type Demand, type PlacedSite, placeSites, type Siting } from "./siting/place-sites.ts";
export { drawArrivals } from "./time/arrivals.ts";
export { localClock } from "./time/local-time.ts";
export { type Rate, weeklyRate } from "./time/rate.ts";
export { empiricalStays, lognormalStays, type Stays } from "./time/stays.ts";
export { checkoutWeek, type WeekShape } from "./time/week-shape.ts";
export type { ImportedTrace, TraceFacts } from "./trace/build-trace.ts";
export { checkIntention } from "./trace/check-intention.ts";
export { type CutPeriod, cutHeader, cutIntentions } from "./trace/cut-trace.ts";
export type { ParameterValue, TraceHeader } from "./trace/header.ts";
export { type ColumnField, type ImportOptions, importRows } from "./trace/import-rows.ts";
export { importTrips, type TripOptions } from "./trace/import-trips.ts";
export {
  type Intention,
  type IntentionField,
  intentionFieldNames,
  type TraceChange,
  type TraceCollection,
  type TraceFallback,
  type TracePurpose,
} from "./trace/intention.ts";
export { readTrace, type Trace } from "./trace/read-trace.ts";
export { writeTrace } from "./trace/write-trace.ts";
