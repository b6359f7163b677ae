import { icon } from "@petak/ui";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { createDetector } from "./detector.ts";
import { createInView } from "./in-view.ts";

/** Why there is no picture. `insecure`: the page is not served by HTTPS. */
export type CameraProblem = "insecure" | "denied" | "none";

/** The pause between two pictures that are looked at, in ms: fast enough for a hand, and a phone stays cool. */
const pauseMs = 120;

/** What is in view of whichever camera: one screen's ends where the next one's begins, with the same code before it. */
const inView = createInView();

interface TorchCapabilities extends MediaTrackCapabilities {
  readonly torch?: boolean;
}

/**
 * The camera's picture, which is read for codes while it is on the page. Fires `code` with the text, and `problem` where there is no picture.
 */
export class StoreCamera extends LitElement {
  static override properties = { prompt: {}, light: {}, starting: {} };
  /** What is to be scanned. */
  declare prompt: string;
  /** The words of the light's button. */
  declare light: string;
  /** What stands there before the picture. */
  declare starting: string;
  #stream: MediaStream | undefined;
  #hasTorch = false;
  #isLit = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop();
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const video = this.querySelector("video");
    if (video !== null && video.srcObject !== (this.#stream ?? null)) video.srcObject = this.#stream ?? null;
  }

  protected override render(): TemplateResult {
    return html`<div class="camera">
      <video autoplay muted playsinline aria-hidden="true"></video>
      <span class="camera-frame" aria-hidden="true"></span>
      ${this.#hasTorch ? html`<button class="camera-light" type="button" aria-pressed=${this.#isLit} @click=${() => this.#switchLight()}>${icon("light")}${this.light}</button>` : nothing}
      <p class="camera-prompt">${this.#stream === undefined ? this.starting : this.prompt}</p>
    </div>`;
  }

  async #start(): Promise<void> {
    if (navigator.mediaDevices === undefined) return this.#fail("insecure");
    try {
      const video = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (!this.isConnected) return stopTracks(stream);
      this.#stream = stream;
      const [track] = stream.getVideoTracks();
      this.#hasTorch = (track?.getCapabilities?.() as TorchCapabilities | undefined)?.torch === true;
      this.requestUpdate();
      await this.#read(stream);
    } catch (error) {
      this.#fail((error as Error).name === "NotAllowedError" ? "denied" : "none");
    }
  }

  async #read(stream: MediaStream): Promise<void> {
    const detector = await createDetector();
    while (this.isConnected && this.#stream === stream) {
      const video = this.querySelector("video");
      if (video !== null && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !document.hidden) {
        const codes = await detector.detect(video);
        const found = inView.look(
          codes.map(({ rawValue }) => rawValue),
          performance.now(),
        );
        for (const detail of found) this.dispatchEvent(new CustomEvent("code", { detail }));
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #switchLight(): Promise<void> {
    this.#isLit = !this.#isLit;
    const [track] = this.#stream?.getVideoTracks() ?? [];
    await track?.applyConstraints({ advanced: [{ torch: this.#isLit } as MediaTrackConstraintSet] });
    this.requestUpdate();
  }

  #fail(problem: CameraProblem): void {
    if (this.isConnected) this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
  }

  #stop(): void {
    inView.stop(performance.now());
    if (this.#stream !== undefined) stopTracks(this.#stream);
    this.#stream = undefined;
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
