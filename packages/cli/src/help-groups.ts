/** The commands of `petak` in its help, by who uses them: those of a line belong together. Each has its own help besides. */
export const helpGroups: readonly (readonly [who: string, lines: readonly (readonly [names: readonly string[], what: string])[]])[] = [
  [
    "To try it",
    [
      [["start"], "run a gateway with a demonstration network"],
      [["journey"], "take a parcel through it, to its collection"],
      [["sandbox"], "bring parcels to test sites that misbehave"],
    ],
  ],
  [
    "Couriers and shops",
    [
      [["find"], "the nearest sites with a place for a parcel"],
      [["reserve"], "hold a place for a parcel"],
      [["confirm", "extend", "redirect", "cancel"], "change a reservation"],
      [["reservation", "reservations"], "show one reservation, or list them"],
      [["batch", "bundle"], "many calls at once; parcels with one code"],
      [["manifest"], "what to bring to sites, and to take"],
      [["credentials"], "issue, delegate and revoke what opens doors"],
      [["courier"], "drivers' keys, and lists that both sign"],
    ],
  ],
  [
    "Operators",
    [
      [["sites", "import"], "sites and their terms; import lists of them"],
      [["stores", "capacity"], "several shops; places that others use too"],
      [["agents", "command"], "devices, and what they are told to do"],
      [["resolve"], "end a doubt about a parcel"],
      [["issuer", "operator"], "root key and certificates; name and links"],
      [["agent"], "on a device: enrol it, and run its agent"],
    ],
  ],
  [
    "All of them",
    [
      [["events", "webhooks"], "read your events, or have them sent"],
      [["chain", "verify-chain", "countersign"], "the signed receipts of a parcel"],
      [["keys", "token"], "make and revoke keys; a token for curl"],
      [["limits", "participants"], "what is used of your limits; who you are"],
    ],
  ],
  [
    "Administrators and auditors",
    [
      [["gateway"], "run a gateway"],
      [["audit", "archive"], "administrative changes; archived records"],
    ],
  ],
  [
    "Simulations",
    [
      [["simulate", "replay"], "run a city's parcels, or a recorded trace"],
      [["trace", "report"], "make traces; make and compare reports"],
    ],
  ],
  ["The shell", [[["completion"], "complete commands, options and ids"]]],
];

/** The groups as text, 80 columns wide. */
export function helpText(): string {
  const rows = helpGroups.flatMap(([who, lines]) => [
    `${who}:`,
    ...lines.map(([names, what]) => `  ${names.join(", ").padEnd(33)}  ${what}`),
  ]);
  return rows.join("\n");
}
