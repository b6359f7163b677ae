/** A picker of the page. */
export interface Mounted {
  readonly form: HTMLFormElement | null;
  readonly name: string;
  /** Whether it shows itself and has a value: of several pickers of one name in one form only the last does. */
  setLeading(isLeading: boolean): void;
}

const mounted: Mounted[] = [];

const isSameField = (one: Mounted, other: Mounted): boolean => one.name !== "" && one.name === other.name && one.form === other.form;

function settle(about: Mounted): void {
  const same = mounted.filter((each) => isSameField(each, about));
  for (const [index, each] of same.entries()) each.setLeading(index === same.length - 1);
}

/** A picker is in the page. Where a script adds a second one to a checkout, the first one steps back, so that an order has one place. */
export function mount(picker: Mounted): void {
  if (!mounted.includes(picker)) mounted.push(picker);
  settle(picker);
}

/** A picker has left the page: one that stepped back for it comes forward. */
export function unmount(picker: Mounted): void {
  const index = mounted.indexOf(picker);
  if (index >= 0) mounted.splice(index, 1);
  // An element that has left its page is in no form any more.
  for (const each of [...mounted]) if (each.name === picker.name) settle(each);
}
