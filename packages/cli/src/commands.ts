import type { LazyCommand } from "./command.ts";

/** Every command of `petak`, in the order in which the help shows them. */
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
    name: "find",
    description: "find the nearest sites that fit a parcel and have a place free",
    load: async () => (await import("./commands/find.ts")).registerFind,
  },
  {
    name: "import",
    description: "import lists of sites",
    load: async () => (await import("./commands/import.ts")).registerImport,
  },
  {
    name: "keys",
    description: "make, list, rotate and revoke keys",
    load: async () => (await import("./commands/keys.ts")).registerKeys,
  },
  {
    name: "participants",
    description: "make and list the organisations of the network (for administrators)",
    load: async () => (await import("./commands/participants.ts")).registerParticipants,
  },
  {
    name: "reservations",
    description: "list your reservations, or those at your sites; --overdue for overdue parcels",
    load: async () => (await import("./commands/reservations.ts")).registerReservations,
  },
  {
    name: "credentials",
    description: "issue, delegate, list and revoke credentials",
    load: async () => (await import("./commands/credentials.ts")).registerCredentials,
  },
  {
    name: "webhooks",
    description: "create, test, rotate, pause, resume, replay and delete webhook endpoints for your events",
    load: async () => (await import("./commands/webhooks.ts")).registerWebhooks,
  },
  {
    name: "chain",
    description: "show the signed receipts of one parcel, and its events, or save them for verify-chain",
    load: async () => (await import("./commands/chain.ts")).registerChain,
  },
  {
    name: "verify-chain",
    description: "verify a saved chain of receipts, offline, with the issuer's public keys",
    load: async () => (await import("./commands/verify-chain.ts")).registerVerifyChain,
  },
  {
    name: "countersign",
    description: "sign the receipt of a hand-over in which you gave or received the parcel",
    load: async () => (await import("./commands/chain.ts")).registerCountersign,
  },
  {
    name: "archive",
    description: "list, show and verify archived records; works on the files, without a gateway",
    load: async () => (await import("./commands/archive.ts")).registerArchive,
  },
  {
    name: "token",
    description: 'print a signed request token for curl: -H "Authorization: Bearer $(petak token)"',
    load: async () => (await import("./commands/token.ts")).registerToken,
  },
];
