import type { PickerChoice } from "../choice/choice.ts";
import type { Mounted } from "./mounted.ts";

/** Where there is no browser, as on a server that renders pages, the module can be loaded and makes no element. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** A field of a form: its value, and whether it may be sent. */
export abstract class PickerField extends Base implements Mounted {
  static readonly formAssociated = true;

  readonly #internals = this.attachInternals();
  #current: PickerChoice | undefined;
  #isLeading = true;
  #isFormDisabled = false;
  #customMessage = "";
  #missingMessage = "";
  #isMissing = false;

  constructor() {
    super();
    super.addEventListener("invalid", (event) => {
      if (this.#customMessage !== "") return;
      // The picker says it itself, where it arose. The browser would say it once more.
      event.preventDefault();
      this.#isMissing = this.#current === undefined;
      this.refresh();
      if (this.form?.querySelector(":invalid:not(fieldset)") === this) this.focusTarget()?.focus();
    });
  }

  /** Shows itself anew. */
  protected abstract refresh(): void;

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }
  get name(): string {
    return this.getAttribute("name") ?? "";
  }
  set name(name: string) {
    this.setAttribute("name", name);
  }
  get required(): boolean {
    return this.hasAttribute("required");
  }
  set required(isRequired: boolean) {
    this.toggleAttribute("required", isRequired);
  }
  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }
  set disabled(isDisabled: boolean) {
    this.toggleAttribute("disabled", isDisabled);
  }
  get validity(): ValidityState {
    return this.#internals.validity;
  }
  get validationMessage(): string {
    return this.#internals.validationMessage;
  }
  get willValidate(): boolean {
    return this.#internals.willValidate;
  }
  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }
  /** The shop's own reason why the form may not be sent. Empty: none. */
  setCustomValidity(message: string): void {
    this.#customMessage = message;
    this.refreshField();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#isFormDisabled = isDisabled;
    this.refresh();
  }

  setLeading(isLeading: boolean): void {
    if (this.#isLeading === isLeading) return;
    this.#isLeading = isLeading;
    this.toggleAttribute("hidden", !isLeading);
    this.refreshField();
  }

  protected get isDisabled(): boolean {
    return this.#isFormDisabled || this.disabled;
  }

  /** Whether the form was sent although nothing was chosen. */
  protected get isMissing(): boolean {
    return this.#isMissing;
  }

  protected get current(): PickerChoice | undefined {
    return this.#current;
  }

  protected setCurrent(choice: PickerChoice | undefined): void {
    this.#current = choice;
    if (choice !== undefined) this.#isMissing = false;
    this.refreshField();
  }

  /** What the browser says where a required choice is missing. */
  protected setValidityMessage(message: string): void {
    this.#missingMessage = message;
    this.refreshField();
  }

  /** The control that a browser leads to when the field is not valid. */
  protected focusTarget(): HTMLElement | undefined {
    const usable = (selector: string) => this.shadowRoot?.querySelector<HTMLElement>(`${selector}:not(:disabled)`) ?? undefined;
    return usable(".bar .button") ?? usable("input") ?? usable("button");
  }

  /** Sets the form's entries: the site's id under the picker's name, and the signed choice and the hold's id beside it. */
  protected refreshField(): void {
    const choice = this.#isLeading ? this.#current : undefined;
    if (choice === undefined) {
      this.#internals.setFormValue(null);
    } else {
      const entries = new FormData();
      entries.set(this.name, choice.siteId);
      if (choice.signedChoice !== undefined) entries.set(`${this.name}-choice`, choice.signedChoice);
      if (choice.holdId !== undefined) entries.set(`${this.name}-hold`, choice.holdId);
      this.#internals.setFormValue(this.name === "" ? choice.siteId : entries, JSON.stringify(choice));
    }
    const valueMissing = this.#isLeading && this.required && choice === undefined;
    const customError = this.#isLeading && this.#customMessage !== "";
    const message = customError ? this.#customMessage : this.#missingMessage || " ";
    if (valueMissing || customError) this.#internals.setValidity({ valueMissing, customError }, message, this.focusTarget());
    else this.#internals.setValidity({});
  }
}
