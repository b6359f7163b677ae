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
      [["manifest", "courier"], "what to bring and to take; drivers' keys"],
      [["credentials"], "issue, delegate and revoke what opens doors"],
    ],
  ],
  [
    "Operators",
    [
      [["sites"], "list, pause and retire sites; their terms"],
      [["import"], "import lists of sites"],
      [["stores", "operator"], "several shops of one owner; name and links"],
      [["capacity", "resolve"], "places that others use too; end a doubt"],
      [["agents", "command"], "devices, and what they are told to do"],
      [["issuer"], "the root key, and what it certifies"],
      [["agent"], "on a device: enrol it, and run its agent"],
    ],
  ],
  [
    "Everyone",
    [
      [["events", "webhooks"], "read your events, or have them sent"],
      [["chain", "verify-chain", "countersign"], "the signed receipts of a parcel"],
      [["keys", "token"], "make and revoke keys; a token for curl"],
      [["limits", "participants"], "what is used of your limits; who you are"],
      [["completion"], "complete commands, options and ids"],
    ],
  ],
  [
    "Administrators and auditors",
    [
      [["gateway"], "run a gateway"],
      [["audit"], "read who changed what"],
      [["archive"], "list, show and verify archived records"],
    ],
  ],
  [
    "Simulations",
    [
      [["simulate", "replay"], "run a city's parcels, or a recorded trace"],
      [["trace", "report"], "make traces; make and compare reports"],
    ],
  ],
];

/** The groups as text, 80 columns wide. @param some only these commands. Default: all */
export function helpText(some?: ReadonlySet<string>): string {
  const groups = helpGroups.flatMap(([who, lines]) => {
    const shown = lines
      .map(([names, what]) => [names.filter((name) => some === undefined || some.has(name)), what] as const)
      .filter(([names]) => names.length > 0);
    return shown.length === 0 ? [] : [`${who}:`, ...shown.map(([names, what]) => `  ${names.join(", ").padEnd(33)}  ${what}`)];
  });
  return groups.join("\n");
}
