import { render } from "lit";
import { type Hold, holdByUrl, type PickerChoice, readChoice } from "../choice/choice.ts";
import { readKept, writeKept } from "../choice/kept.ts";
import { createDirectory } from "../gateway/directory.ts";
import type { Problem } from "../gateway/problem.ts";
import type { Point } from "../map/picker-map.ts";
import type { Ports, ResolveAddress } from "../model/core.ts";
import { createModel, type Model } from "../model/model.ts";
import { allowsOperator, onlyOperators } from "../model/operators.ts";
import { type PickerParcel, readSettings } from "../settings/settings.ts";
import { showWhy } from "../view/left-out.ts";
import { brokenView, pickerView } from "../view/picker-view.ts";
import { pickerStyles } from "../view/styles.ts";
import type { PriceOf } from "../view/view.ts";
import { englishLanguage, findLanguageTag, type Language, loadLanguage } from "../words/languages.ts";
import { createSpeaker, type Speaker } from "../words/speak.ts";
import { otherAttributes, setText, settingAttributes } from "./attributes.ts";
import type { PickerEvents } from "./events.ts";
import { PickerField } from "./field.ts";
import { keepFocus } from "./keep-focus.ts";
import { createLateEvents } from "./late-events.ts";
import { locate } from "./locate.ts";
import { MapSlot } from "./map-slot.ts";
import { mount, unmount } from "./mounted.ts";
import { RowsInView } from "./rows-in-view.ts";

/** The properties that may have been set before the element was defined. */
const properties = ["parcel", "point", "resolveAddress", "hold", "priceOf", "choice", "value"] as const;

/** `<petak-picker>`: shows the nearest places where a parcel can be collected, and is a field of the form around it. */
export class PetakPicker extends PickerField {
  static readonly observedAttributes = [...settingAttributes, ...otherAttributes];

  readonly #root = this.attachShadow({ mode: "open" });
  readonly #events = createLateEvents(this);
  readonly #map = new MapSlot();
  readonly #rows = new RowsInView((siteId) => this.#model?.see(siteId));
  #model: Model | undefined;
  #say: Speaker | undefined;
  #parcel: PickerParcel | undefined;
  #resolveAddress: ResolveAddress | undefined;
  #hold: Hold | undefined;
  #priceOf: PriceOf | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #isRenderDue = false;
  #isSetUpDue = false;

  /** The parcel; goes before the attributes `width-mm`, `height-mm`, `depth-mm`, `mass-g`. */
  get parcel(): PickerParcel | undefined {
    return this.#parcel;
  }
  set parcel(parcel: PickerParcel | undefined) {
    this.#parcel = parcel;
    this.#setUpSoon();
  }

  /** Where the shopper is. */
  get point(): Point | undefined {
    return this.#model?.state.point;
  }
  set point(point: Point | string | undefined) {
    setText(this, "point", typeof point === "object" ? `${point.latitude},${point.longitude}` : point);
  }

  /** Looks typed addresses up. Without it there is no address field. */
  get resolveAddress(): ResolveAddress | undefined {
    return this.#resolveAddress;
  }
  set resolveAddress(resolve: ResolveAddress | undefined) {
    this.#resolveAddress = resolve;
    this.#renderSoon();
  }

  /** Holds a place through the shop's own server; goes before the attribute `hold-url`. */
  get hold(): Hold | undefined {
    return this.#hold;
  }
  set hold(hold: Hold | undefined) {
    this.#hold = hold;
  }

  /** What the shop asks for a place, as text. */
  get priceOf(): PriceOf | undefined {
    return this.#priceOf;
  }
  set priceOf(priceOf: PriceOf | undefined) {
    this.#priceOf = priceOf;
    this.#renderSoon();
  }

  /** The choice. Setting one is as if the shopper had made it before. */
  get choice(): PickerChoice | undefined {
    return this.current;
  }
  set choice(choice: PickerChoice | undefined) {
    if (choice === undefined) this.#drop();
    else this.#restore(choice);
  }

  /** The id of the chosen site; empty: none. It can be set to none only: a site is chosen by `choice`, or by the shopper. */
  get value(): string {
    return this.current?.siteId ?? "";
  }
  set value(siteId: string) {
    if (siteId === "") this.#drop();
  }

  connectedCallback(): void {
    for (const name of properties) {
      if (!Object.hasOwn(this, name)) continue;
      const value: unknown = this[name];
      delete this[name];
      Object.assign(this, { [name]: value });
    }
    this.#root.adoptedStyleSheets = pickerStyles();
    mount(this);
    this.#ticking = setInterval(() => this.#tick(), 1000);
    void this.#speak();
    this.#setUpSoon();
  }

  disconnectedCallback(): void {
    clearInterval(this.#ticking);
    this.#model?.stop();
    this.#map.close();
    this.#rows.close();
    unmount(this);
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (settingAttributes.includes(name)) this.#setUpSoon();
    else if (name === "language") void this.#speak();
    else if (name === "name") mount(this);
    this.refreshField();
    this.#renderSoon();
  }

  override addEventListener<T extends keyof PickerEvents>(
    type: T,
    listener: ((this: PetakPicker, event: PickerEvents[T]) => unknown) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListener, options);
    this.#events.replay(type, listener as EventListener);
  }

  formStateRestoreCallback(state: string | File | FormData | null): void {
    const choice = typeof state === "string" ? readChoice(state) : undefined;
    if (choice !== undefined) this.#restore(choice);
  }

  formResetCallback(): void {
    this.#drop();
  }

  override focus(options?: FocusOptions): void {
    (this.focusTarget() ?? this.#root.querySelector<HTMLElement>("#chosen"))?.focus(options);
  }

  protected override refresh(): void {
    this.#renderSoon();
  }

  /** The language that the shop, the page or the browser wants. */
  async #speak(): Promise<void> {
    const wanted = this.getAttribute("language") ?? this.closest("[lang]")?.getAttribute("lang") ?? navigator.language;
    const tag = findLanguageTag(wanted);
    if (tag === undefined && this.hasAttribute("language")) {
      const message = `The attribute language of petak-picker is '${wanted}', which it does not speak. It speaks English.`;
      this.#fail({ reason: "LANGUAGE_UNKNOWN", message, isPassing: false });
    }
    let language: Language = englishLanguage;
    try {
      if (tag !== undefined) language = await loadLanguage(tag);
    } catch (error) {
      this.#fail({
        reason: "LANGUAGE_UNAVAILABLE",
        message: `The file of the language '${tag}' did not load: ${String(error)}`,
        isPassing: true,
      });
    }
    this.#say = createSpeaker(language);
    this.#render();
    this.#events.dispatch("petak-ready", { language: language.tag });
  }

  #setUpSoon(): void {
    if (this.#isSetUpDue || !this.isConnected) return;
    this.#isSetUpDue = true;
    queueMicrotask(() => {
      this.#isSetUpDue = false;
      if (this.isConnected) this.#setUp();
    });
  }

  /** Begins anew by the settings. What the shopper has done stays. */
  #setUp(): void {
    const before = this.#model?.state;
    this.#model?.stop();
    this.#model = undefined;
    const settings = readSettings((name) => this.getAttribute(name), this.#parcel);
    if ("reason" in settings) {
      this.#fail(settings);
      this.#renderSoon();
      return;
    }
    const kept = readKept(this.name);
    const model = createModel(this.#ports(settings));
    this.#model = model;
    const choice = this.current ?? kept.choice;
    if (choice !== undefined) this.#restore(choice);
    if (before !== undefined) {
      model.state.filters = settings.filters.size > 0 ? settings.filters : before.filters;
      model.state.openAtMinute = before.openAtMinute;
      model.state.operatorIds = new Set([...before.operatorIds].filter((operatorId) => allowsOperator(settings, operatorId)));
      model.state.operators = onlyOperators(before.operators, model.state.operatorIds);
    }
    if (settings.point !== undefined) model.goTo(settings.point, "");
    else if (before?.point !== undefined) model.goTo(before.point, before.typed);
    else if (kept.point !== undefined) model.goTo(kept.point, kept.pointLabel ?? "");
    this.#renderSoon();
  }

  #ports(settings: Ports["settings"]): Ports {
    return {
      settings,
      directory: createDirectory(settings.gateway, settings.publishableKey),
      resolveAddress: () => this.#resolveAddress,
      hold: () => {
        const url = this.getAttribute("hold-url");
        return this.#hold ?? (url === null ? undefined : holdByUrl(url));
      },
      locate,
      now: Date.now,
      changed: () => this.#renderSoon(),
      failed: (problem) => this.#fail(problem),
      chose: (choice) => this.#chose(choice),
      signed: (choice) => {
        this.setCurrent(choice);
        this.#keep();
      },
      lost: () => this.#announce(undefined),
      moved: () => this.#keep(),
    };
  }

  #chose(choice: PickerChoice): void {
    this.#announce(choice);
    this.#render();
    this.#root.querySelector<HTMLElement>("#chosen")?.focus();
  }

  /** Makes a choice the value of the form, and tells the page. */
  #announce(choice: PickerChoice | undefined): void {
    this.setCurrent(choice);
    this.#keep();
    if (choice === undefined) this.#events.forget("petak-choice");
    this.#events.dispatch("petak-choice", choice ?? null);
    for (const type of ["input", "change"]) this.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
  }

  #restore(choice: PickerChoice): void {
    const isNew = this.current?.siteId !== choice.siteId;
    this.setCurrent(choice);
    this.#model?.restore(choice);
    if (isNew) this.#events.dispatch("petak-choice", choice);
    this.#keep();
  }

  #drop(): void {
    if (this.current === undefined) return;
    this.#model?.clear();
    this.#announce(undefined);
  }

  #keep(): void {
    const { point, typed = "" } = this.#model?.state ?? {};
    const choice = this.current;
    writeKept(this.name, { ...(choice && { choice }), ...(point && { point, pointLabel: typed }) });
  }

  #fail(problem: Problem): void {
    this.#events.dispatch("petak-error", problem);
  }

  #tick(): void {
    if (document.hidden || this.hidden) return;
    this.#model?.tick();
    this.#renderSoon();
  }

  #renderSoon(): void {
    if (this.#isRenderDue) return;
    this.#isRenderDue = true;
    queueMicrotask(() => this.#render());
  }

  #render(): void {
    this.#isRenderDue = false;
    const say = this.#say;
    if (say === undefined || !this.isConnected) return;
    const model = this.#model;
    const mapStyle = this.getAttribute("map") ?? undefined;
    const view = model && {
      model,
      say,
      nowMs: model.gatewayNow(),
      hasResolver: this.#resolveAddress !== undefined,
      hasMap: mapStyle !== "none",
      isMissing: this.isMissing,
      isDisabled: this.isDisabled,
      priceOf: this.#priceOf,
    };
    keepFocus(this.#root, () => render(view === undefined ? brokenView({ say }) : pickerView(view), this.#root));
    this.#rows.update(this.#root);
    if (view?.hasMap)
      this.#map.update(this.#root.querySelector<HTMLElement>(".map"), {
        ...view,
        style: mapStyle,
        showWhy: (siteId) => showWhy(this.#root, siteId),
      });
    else this.#map.close();
    const offer = model?.state.offers?.find(({ siteId }) => siteId === model.state.selectedId);
    this.setValidityMessage(offer === undefined ? say("valueMissing") : say("notConfirmed", { name: offer.name }));
  }
}
