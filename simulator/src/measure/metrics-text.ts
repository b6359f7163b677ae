/** A sample of the text that Prometheus reads. */
export interface MetricSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const sampleForm = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/;
const labelForm = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)/y;
const escapes: { readonly [escaped: string]: string } = { n: "\n", '"': '"', "\\": "\\" };

/**
 * Reads the text format of Prometheus 0.0.4: the samples of the wanted names, in order. Comments, types, time stamps and lines that are no samples
 * are passed over, and so are values that are no finite numbers.
 */
export function* readMetrics(text: string, isWanted: (name: string) => boolean): Generator<MetricSample> {
  for (const line of text.split("\n")) {
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
    if (name === undefined || !isWanted(name)) continue;
    const [, , labelText = "", number = ""] = sampleForm.exec(line) ?? [];
    const labels = readLabels(labelText);
    const value = Number(number);
    if (labels !== undefined && number !== "" && Number.isFinite(value)) yield { name, labels, value };
  }
}

function readLabels(text: string): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  labelForm.lastIndex = 0;
  while (labelForm.lastIndex < text.length) {
    const [, name, value] = labelForm.exec(text) ?? [];
    if (name === undefined || value === undefined) return undefined;
    labels.set(
      name,
      value.replace(/\\(.)/g, (whole, character: string) => escapes[character] ?? whole),
    );
  }
  return labels;
}
