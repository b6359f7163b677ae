/**
 * What the app says. The other languages have the same keys and placeholders. `one` and `other` are forms of the number in `{count}`; a language whose
 * words have one form writes a text alone.
 */
export const english = {
  // Everywhere
  back: "Back",
  cancel: "Cancel",
  done: "Done",
  next: "Next",
  save: "Save",
  today: "Today",
  shelf: "Shelf",
  capacity: "Capacity",
  online: "Online",
  offline: "Offline",
  offlineWaiting: "Offline · {count} waiting",
  waitingToSend: "{count} waiting",
  networkDown: "Network down",
  practice: "Practice",
  practiceNotice: "Practice. These parcels are made up, and nothing leaves this device.",
  loading: "Waiting for the store's agent",
  somethingFailed: "That did not work: {reason}",

  // Sign-in
  whoIsHere: "Who is at the counter?",
  yourPin: "{name}, your PIN",
  digit: "Digit {digit}",
  deleteDigit: "Delete the last digit",
  signIn: "Sign in",
  signOut: "Sign out",
  pinWrong: "That PIN is not right.",
  pinLocked: "Too many wrong PINs. The next try is at {time}.",
  agentUnreachable: "The store's agent does not answer. Is it on, and is this tablet on the store's network?",
  signInNeedsAgent: "Signing in needs the store's agent.",
  noClerks: "This store has no clerks yet. Add one on the agent.",
  owner: "Owner",
  practise: "Practise",
  leavePractice: "End practice",
  language: "Language",
  unreviewed: "not yet checked by a native speaker",
  menu: "Menu",

  // Home
  handOver: "Hand over",
  accept: "Accept",
  takeIn: "Return",
  onShelf: "On the shelf",
  forCourier: "Overdue, for the courier",
  expected: "Expected",
  weCanTake: "We can take",
  paused: "Paused",
  underWay: "Under way",
  notTaken: { one: "{count} entry was not taken", other: "{count} entries were not taken" },
  dismiss: "I have seen it",

  // Scanning
  scanCode: "Scan the customer's code",
  scanParcel: "Scan the parcel",
  scanPlace: "Scan the code of the place",
  typeNumber: "Type the number",
  codeOrNumber: "Code or number",
  light: "Light",
  cameraNeedsHttps: "The camera needs HTTPS. Type, or use a scanner.",
  cameraDenied: "The browser does not let this page use the camera. Allow it, or type.",
  cameraNone: "There is no camera here. Type, or use a scanner.",
  cameraStarting: "The camera starts",
  howToHttps: "How to get the camera",
  tapMadeUp: "Tap a made-up code in place of scanning",

  // Hand over
  takeFrom: "Take it from",
  putOn: "Put it on",
  parcelEnds: "parcel ends in {ending}",
  numberOf: "{number} of {of}",
  customersCode: "Customer's code",
  checkAge: "Old enough, by identity card",
  checkIdentity: "Identity card matches",
  checkPerson: "The receiver in person",
  checkDangerous: "Dangerous goods: told",
  cashTaken: "{amount} received",
  ticksFirst: "Tick each check first, then scan the parcel.",
  cannotFind: "I cannot find it",
  otherEnd: "It ends here",
  whyEnd: "Why does it end?",
  notNow: "The customer comes back later",
  checkFailed: "A check failed, or no cash",
  refusesIt: "The customer refuses it",
  handedOver: "Handed over",
  takenIn: "Taken in",
  ended: "Ended. The parcel stays here.",
  foundLater: "It is marked as missing. If you find it, open it in the shelf list.",
  nextCustomer: "Next customer",
  sentLater: "Done here. It waits to be sent.",
  offlineNoHandOver: "No connection to the store's agent, so no new hand-over can begin. Scan the code again when this says Online.",

  // Refusals
  refusedCode: "This code is not accepted here.",
  refusedLockedOut: "Too many wrong PINs. Wait a little, or scan a code.",
  refusedWrongParcel: "Wrong parcel. Put it back, and take the one shown.",
  refusedCheckMissing: "A check or the payment is missing.",
  refusedOver: "This is not under way any more. Begin again.",
  refusedNotAnnounced: "Nobody announced this parcel. Do not take it.",
  refusedCannotAsk: "Nobody announced this parcel, and the network cannot be asked now. Do not take it.",
  refusedOtherSite: "This parcel is for another place. Do not take it.",
  refusedNotConfirmed: "A place is reserved for this parcel, and its sender has not confirmed it yet. Do not take it.",
  refusedEnded: "This parcel has left, or its time is over.",
  refusedNoPlace: "No place on the shelf fits, or that place is taken.",
  refusedCount: "The count is not that of the scanned parcels. Count again.",
  refusedList: "This code does not sign this list.",
  refusedOutOfOrder: "The agent's disk is full or broken. Nothing was done. Tell the owner.",
  refusedOtherTablet: "Another tablet has this in hand.",
  refusedOwnerOnly: "Only the owner can do this.",
  refusedInUse: "This parcel is on a courier's list, or in another hand-over.",
  refusedLeaseAway: "Another tablet may be handing over without the agent, and does not answer.",
  refusedContradicted:
    "This was handed over here without the agent, and its record says otherwise. The operator is told. Look whether the parcel is there.",
  leaseAway: "The tablet that may hand over without the agent does not answer. Other hand-overs go on when it is back, or at {time}.",
  aloneUntil: "No connection to the store's agent. This tablet decides alone until {time}.",
  alonePin: "A PIN cannot be checked without the agent. Ask for the code and scan it.",
  aloneNeedsAgent: "Only the agent can check this. Try again when this says Online.",
  takeBackLease: "That tablet is lost: hand over without it",
  takeBackRisk:
    "Only if it is lost or broken. If somebody still hands over with it, one parcel's code can be accepted twice until {time}. The operator is told.",
  refusedUnknown: "The agent did not take this.",

  // Accept, and give to the courier
  acceptTitle: "Accept from the courier",
  giveTitle: "Give to the courier",
  scanEach: "Scan each parcel",
  parcels: { one: "{count} parcel", other: "{count} parcels" },
  place: "Place",
  damaged: "Damaged, but taken",
  refuse: "Not taken",
  good: "In order",
  byMistake: "Scanned by mistake",
  whyRefuse: "Why is it not taken?",
  tooDamaged: "Too damaged",
  tooLarge: "Too large or heavy",
  noSpace: "No space",
  notAnnounced: "Not announced",
  notAllowed: "Goods that we do not take",
  takePhoto: "Take a photo",
  photoKept: "Photo kept",
  agreeCount: "Agree the count",
  countTogether: "Count together with the courier.",
  bothHave: { one: "We both have {count}", other: "We both have {count}" },
  countAgain: "Not the same: scan more",
  notScanned: { one: "{count} announced and not scanned", other: "{count} announced and not scanned" },
  courierScans: "The courier scans this",
  storeCode: "The store's code for this list",
  scanCourier: "Scan the courier's code",
  withoutCode: "The courier has no code",
  signed: "Signed by both",
  notSigned: "Closed without the courier's code",
  signedLater: "The count is written down. The list is signed when this says Online.",
  waits: "waits",
  listEnds: "List {ending}",

  // Shelf
  search: "Last characters of the label",
  emptyShelf: "Nothing is on the shelf.",
  noMatch: "No parcel ends in {text}.",
  missing: "Missing",
  moreParcels: { one: "{count} more: search", other: "{count} more: search" },
  size: "Size",
  courier: "Courier",
  came: "Came",
  collectUntil: "To be collected until",
  newPlace: "New place",
  foundIt: "Found it here",
  parcelGone: "This parcel is not here any more.",

  // Capacity
  howManyMore: "How many more do you take?",
  placesFree: { one: "{count} place free", other: "{count} places free" },
  oneLess: "One less: {size}",
  oneMore: "One more: {size}",
  pause: "Take no more for now",
  resume: "Take parcels again",
  pausedUntil: "Paused until {time}",
  closeEarly: "Close early today",
  reopenAt: "Take parcels again at",
  collectionsGoOn: "Collections go on.",

  // Shift
  shift: "Shift",
  beginShift: "Begin the shift",
  endShift: "End the shift",
  shiftSince: "Shift since {time}",
  noShift: "No shift has begun.",
  countShelf: "Count the parcels on the shelf",
  countBlind: "What should be there is shown afterwards.",
  byNumber: "By number",
  byScanning: "By scanning",
  cashCounted: "Cash in the till",
  countMatches: "The count matches.",
  countDiffers: "The count differs. It is recorded under your name.",
  missingParcels: { one: "{count} parcel missing", other: "{count} parcels missing" },
  surplusParcels: { one: "{count} parcel too many", other: "{count} parcels too many" },
  countedOf: "{counted} counted, {expected} expected",
  badNumber: "That is no number. Type digits, e.g. 12 or 45.50.",
  shiftOffline: "A shift ends when the store's agent can be reached.",

  // Owner, and help
  thisMonth: "This month",
  acceptedCount: "Accepted from couriers",
  handedOverCount: "Handed over",
  takenInCount: "Taken in",
  givenBackCount: "Given to couriers",
  photosKept: { one: "Photos are kept for {count} day.", other: "Photos are kept for {count} days." },
  helpCertificate:
    "Browsers give the camera only to pages over HTTPS. Open the agent's certificate page on this tablet, install the certificate, and open the store's address with https:// in front.",
  helpScanner: "A scanner that types, by cable or Bluetooth, works on every page.",
  openCertificate: "Open the certificate page",
} as const;

/** A text that the app has. */
export type WordKey = keyof typeof english;

/** A text of a language: with one form, or with those of the number in `{count}`. */
export type Text = string | { readonly one: string; readonly other: string };

/** All texts of a language. */
export type Words = Readonly<Record<WordKey, Text>>;

type NamesIn<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type TextOf<K extends WordKey> = (typeof english)[K] extends { other: infer O } ? O : (typeof english)[K];

/** The placeholders of a text. */
export type PlaceholdersOf<K extends WordKey> = NamesIn<TextOf<K>>;

/** A text without placeholders. */
export type PlainKey = { [K in WordKey]: [PlaceholdersOf<K>] extends [never] ? K : never }[WordKey];
