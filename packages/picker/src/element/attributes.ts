/** The attributes that change what is shown. */
export const settingAttributes = [
  "gateway",
  "publishable-key",
  "width-mm",
  "height-mm",
  "depth-mm",
  "mass-g",
  "point",
  "filters",
  "operators",
  "rounding-m",
];

/** The attributes that change something else. */
export const otherAttributes = ["language", "name", "required", "disabled", "value", "hold-url", "map"];

/** A property that mirrors an attribute. */
export function setText(element: Element, name: string, value: string | null | undefined): void {
  if (value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
