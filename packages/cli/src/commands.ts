import { callerCommands } from "./caller-commands.ts";
import type { LazyCommand } from "./command.ts";

/** Every command of `petak`. */
export const lazyCommands: readonly LazyCommand[] = [
  {
    name: "start",
    description: "run a gateway with a demonstration network, for trying things",
    load: async () => (await import("./commands/start.ts")).registerStart,
  },
  {
    name: "gateway",
    description: "run a gateway; its log goes to standard output, one JSON object a line",
    load: async () => (await import("./commands/gateway.ts")).registerGateway,
  },
  {
    name: "journey",
    description:
      "take a parcel, or several with --parcels, through a running gateway, from the search to the collection, or back with --recall",
    load: async () => (await import("./commands/journey.ts")).registerJourney,
  },
  {
    name: "import",
    description: "import lists of sites",
    load: async () => (await import("./commands/import.ts")).registerImport,
  },
  {
    name: "issuer",
    description: "the operator's root key: make it, certify and revoke issuer keys, install what it signed, and see how it stands",
    load: async () => (await import("./commands/issuer.ts")).registerIssuer,
  },
  {
    name: "agent",
    description: "on a device: enrol it, and run its agent",
    load: async () => (await import("./commands/agent.ts")).registerAgent,
  },
  {
    name: "archive",
    description: "list, show and verify archived records; works on the files, without a gateway",
    load: async () => (await import("./commands/archive.ts")).registerArchive,
  },
  {
    name: "simulate",
    description: "run a city's parcels against a running gateway, and write a report",
    load: async () => (await import("./commands/simulate.ts")).registerSimulate,
  },
  {
    name: "replay",
    description: "run a recorded trace, or your own CSV, against a running gateway at a speed or a rate",
    load: async () => (await import("./commands/replay.ts")).registerReplay,
  },
  {
    name: "report",
    description: "make the report of a run log, or compare two runs",
    load: async () => (await import("./commands/report.ts")).registerReport,
  },
  {
    name: "trace",
    description: "make traces of a city for replay, drawn or from your own CSV, without a gateway",
    load: async () => (await import("./commands/trace.ts")).registerTrace,
  },
  ...callerCommands,
];
