/** The colours of what is drawn. Each is a colour that CSS has worked out, so that a page's properties and its theme decide. */
export interface Inks {
  readonly land: string;
  readonly water: string;
  readonly border: string;
  readonly ring: string;
  readonly text: string;
  readonly font: string;
}

const names = ["land", "water", "border", "ring", "text"] as const;

/** Makes what tells the colours: elements that are not shown, one for each. They are added to the map. */
export function createInks(root: HTMLElement): () => Inks {
  const samples = names.map((name) => {
    const sample = document.createElement("i");
    sample.className = `map-ink map-ink-${name}`;
    sample.hidden = true;
    root.append(sample);
    return sample;
  });
  return () => {
    const [land = "", water = "", border = "", ring = "", text = ""] = samples.map((sample) => getComputedStyle(sample).color);
    return { land, water, border, ring, text, font: getComputedStyle(root).fontFamily };
  };
}
