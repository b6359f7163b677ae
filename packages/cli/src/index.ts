/** The command `petak`, and the demonstration network that it can load. */
export { batchesOf, forEachConcurrently } from "./batches.ts";
export type { CommandContext, CommandModule, LazyCommand } from "./command.ts";
export { lazyCommands } from "./commands.ts";
export { defaultKeyPath, defaultPublishableKeyPath, defaultUrl } from "./defaults.ts";
export { type City, cityCredit, demoCountryCodes } from "./demo/cities.ts";
export { type DemoLoadProgress, type DemoLoadResult, type LoadDemoNetworkOptions, loadDemoNetwork } from "./demo/load.ts";
export { buildDemoNetwork, type DemoNetwork, type DemoNetworkOptions, maxDemoSites, type SiteInit } from "./demo/network.ts";
export { type DemoOperator, demoOperators } from "./demo/operators.ts";
export { ExitCode } from "./exit-code.ts";
export { CliFailure, type CliFailureOptions, toFailure, usageFailure } from "./failure.ts";
export { run } from "./run.ts";
export { type CliIo, createSession, type GlobalOptions, type Session } from "./session.ts";
export type { Colors } from "./terminal/colors.ts";
export { createOutput, type Output, type OutputOptions, type TextStream } from "./terminal/output.ts";
export { createProgress, type Progress, type ProgressOptions } from "./terminal/progress.ts";
export { type Column, layOutTable, type TableOptions } from "./terminal/table.ts";
