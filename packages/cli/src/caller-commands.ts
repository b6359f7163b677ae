import type { LazyCommand } from "./command.ts";

/**
 * The commands of those who call a gateway. They need nothing of a gateway or an agent, nor files of the repository, so that `npm run cli:bundle` makes a program of
 * them that runs without a clone.
 */
export const callerCommands: readonly LazyCommand[] = [
  {
    name: "find",
    description: "find the nearest sites that fit a parcel and have a place free",
    load: async () => (await import("./commands/find.ts")).registerFind,
  },
  {
    name: "reserve",
    description: "hold a place for a parcel at a site, or at the nearest suitable one",
    load: async () => (await import("./commands/reserve.ts")).registerReserve,
  },
  {
    name: "confirm",
    description: "confirm a hold: the depositor will come",
    load: async () => (await import("./commands/change-reservation.ts")).registerConfirm,
  },
  {
    name: "extend",
    description: "move the present deadline of a reservation",
    load: async () => (await import("./commands/change-reservation.ts")).registerExtend,
  },
  {
    name: "redirect",
    description: "move a reservation to another place before the deposit",
    load: async () => (await import("./commands/redirect.ts")).registerRedirect,
  },
  {
    name: "cancel",
    description: "cancel a reservation before the deposit",
    load: async () => (await import("./commands/change-reservation.ts")).registerCancel,
  },
  {
    name: "resolve",
    description: "for operators: end a doubt about a parcel by what was found at the site",
    load: async () => (await import("./commands/change-reservation.ts")).registerResolve,
  },
  {
    name: "reservation",
    description: "show one reservation, and the terms on which it was made",
    load: async () => (await import("./commands/change-reservation.ts")).registerReservation,
  },
  {
    name: "batch",
    description: "make many calls about reservations at once, from a file of JSON",
    load: async () => (await import("./commands/batch.ts")).registerBatch,
  },
  {
    name: "bundle",
    description: "make, change and show bundles: several parcels at one site, collected with one code",
    load: async () => (await import("./commands/bundle.ts")).registerBundle,
  },
  {
    name: "manifest",
    description: "list what you have to bring to each site and to take from it, by site or in the order of a route",
    load: async () => (await import("./commands/manifest.ts")).registerManifest,
  },
  {
    name: "events",
    description: "read the feed of your events, once or as they come; for operators: declare events wrong",
    load: async () => (await import("./commands/events.ts")).registerEvents,
  },
  {
    name: "sites",
    description: "list, show and check sites; for operators: their terms, pause, resume and retire",
    load: async () => (await import("./commands/sites.ts")).registerSites,
  },
  {
    name: "capacity",
    description: "for operators: report what is free at a site whose places others use too",
    load: async () => (await import("./commands/capacity.ts")).registerCapacity,
  },
  {
    name: "stores",
    description: "for the owner of several shops: how they stand, and closing early",
    load: async () => (await import("./commands/stores.ts")).registerStores,
  },
  {
    name: "operator",
    description: "show an operator's name and links, or set your own",
    load: async () => (await import("./commands/operator.ts")).registerOperator,
  },
  {
    name: "keys",
    description: "make, list, rotate and revoke keys",
    load: async () => (await import("./commands/keys.ts")).registerKeys,
  },
  {
    name: "agents",
    description: "for operators: enrol, list, revoke and replace the devices of your sites",
    load: async () => (await import("./commands/agents.ts")).registerAgents,
  },
  {
    name: "command",
    description: "for operators: tell a device to open a door, leave or enter service, synchronise, restart, or send its log",
    load: async () => (await import("./commands/command.ts")).registerCommand,
  },
  {
    name: "participants",
    description: "show yourself; make and list the organisations of the network (for administrators)",
    load: async () => (await import("./commands/participants.ts")).registerParticipants,
  },
  {
    name: "audit",
    description: "read the record of administrative changes (for auditors and administrators)",
    load: async () => (await import("./commands/audit.ts")).registerAudit,
  },
  {
    name: "limits",
    description: "show your limits and what is used of them; set those of a participant (for administrators)",
    load: async () => (await import("./commands/limits.ts")).registerLimits,
  },
  {
    name: "reservations",
    description: "list your reservations, or those at your sites; --overdue for overdue parcels",
    load: async () => (await import("./commands/reservations.ts")).registerReservations,
  },
  {
    name: "courier",
    description: "for couriers: drivers' keys, and hand-over lists that a driver and a site sign, also without the network",
    load: async () => (await import("./commands/courier.ts")).registerCourier,
  },
  {
    name: "credentials",
    description: "issue, delegate, list and revoke credentials, and prove at a door that you hold one",
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
    name: "sandbox",
    description: "bring and collect parcels at test sites that misbehave on request, without hardware",
    load: async () => (await import("./commands/sandbox.ts")).registerSandbox,
  },
  {
    name: "token",
    description: 'print a signed request token for curl: -H "Authorization: Bearer $(petak token)"',
    load: async () => (await import("./commands/token.ts")).registerToken,
  },
  {
    name: "completion",
    description: "print the completion of commands, options and ids for bash or zsh",
    isLocal: true,
    load: async () => (await import("./commands/completion.ts")).registerCompletion,
  },
];
