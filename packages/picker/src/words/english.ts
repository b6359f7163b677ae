/**
 * What the picker says. The other languages have the same keys and placeholders. `one` and `other` are forms of the number in `{count}`; a language whose
 * words have one form writes a text alone.
 */
export const english = {
  // How long
  seconds: "{count} s",
  minutes: "{count} min",
  hours: "{count} h",
  days: { one: "{count} day", other: "{count} days" },
  ago: "{duration} ago",

  // Where the shopper is
  where: "Where do you want to collect?",
  address: "Address or postal code",
  find: "Find",
  useMyLocation: "Use my location",
  yourLocation: "Your location",
  whichOne: "Which one do you mean?",
  addressNotFound: "No place was found for “{text}”. Type it in another way.",
  addressFailed: "The address could not be looked up. Try again.",
  locationDenied: "Your location is not available.",
  sayWhere: "Say where you are, and the nearest places are shown here.",

  // What is shown
  showOnly: "Show only",
  moreFilters: "More",
  openNow: "Open now",
  openAt: "Open at",
  stepFree: "Step-free",
  lowCompartment: "Low compartment",
  terminals: "Parcel lockers",
  stores: "Staffed stores",
  places: "Places to collect",
  looking: "Looking for the nearest places",
  stillLooking: "Still waiting for the places: {duration} so far",
  found: { one: "{count} place found", other: "{count} places found" },
  noneFound: "No place near here takes this parcel.",
  noneMatch: "No place near here matches what you show only.",
  showAll: "Show all",
  showMore: "Show more",
  notOffered: { one: "{count} place nearby is not offered", other: "{count} places nearby are not offered" },

  // A place
  terminal: "Parcel locker",
  store: "Staffed store",
  walk: "{duration} walk",
  freeThatFit: { one: "{count} free that fits", other: "{count} free that fit" },
  checked: "checked {ago}",
  full: "Full",
  notKnown: "Not known: last heard {ago}",
  openAlways: "Open 24 h",
  openUntil: "Open until {time}",
  closedUntil: "Closed until {time}",
  closed: "Closed",
  keptFree: "Kept free of charge for {duration}",
  thenPerDay: "then {price} a day",
  entrance: "Entrance: {hint}",
  photoOf: "Entrance of {name}",

  // The choice
  collectHere: "Collect here",
  chooseFirst: "Choose a place",
  youCollectAt: "You collect at",
  change: "Change",
  valueMissing: "Choose where you collect the parcel.",
  notConfirmed: "Press “Collect here” to collect at {name}.",
  holding: "Asking whether a place is free",
  heldFor: "Held for you for {duration}",
  holdEnded: "It is no longer held for you. You can still collect there while a place is free.",
  placeGone: "The last place at {name} has just gone.",
  nextBest: "The next best is {name}.",
  holdFailed: "The place could not be held. You can still collect there while it is free.",
  noLongerOffered: "{name} does not take this parcel any more. Choose another place.",

  // Why a place is not offered
  whyKind: "Of the other kind",
  whyOperator: "Of another operator",
  whyPurpose: "Takes no deliveries",
  whyCountry: "In another country",
  whyParcel: "Does not offer what this parcel needs",
  whyNotStepFree: "Not known to be step-free",
  whyNoCard: "Takes no cards",
  whyTooSmall: "The parcel does not fit",
  whyNotCooled: "Not cooled",
  whyTooHigh: "Compartments too high or too low",
  whyClosed: "Closed at that time",
  whyUnknown: "Not heard from lately",
  whyFull: "Full",
  whyOther: "For another reason",

  // Problems
  cannotBeShown: "Places to collect cannot be shown here. Choose another delivery, or tell the shop.",
  notReached: "The places did not load. Check your connection and try again.",
  slow: "The places take too long to load. Try again.",
  busy: "Many people are looking right now. It is tried again in a moment.",
  outdated: "These places could not be refreshed.",
  tryAgain: "Try again",

  // The map
  map: "Map of the places",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  searchHere: "Search here",
} as const;

/** A text that the picker has. */
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
