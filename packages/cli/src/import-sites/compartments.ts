import { create } from "@bufbuild/protobuf";
import { SiteKind, SizeClassSchema, validateMessage } from "@petak/protocol";
import { usageFailure } from "../failure.ts";
import { type CompartmentMix, type MixName, mixNames, namedMix } from "../places/compartment-mix.ts";

/** What stands at the sites of an import. */
export interface ImportedMix extends CompartmentMix {
  /** For people: the classes and their counts, and whether they are made up. */
  readonly description: string;
  /** True where nobody said what really stands there. */
  readonly isMadeUp: boolean;
}

/** What one place may hold where nobody says, in g. */
const defaultMaxMassG = 20_000;

const help = `write classes as ID:WIDTHxHEIGHTxDEPTH:COUNT in mm, e.g. S:400x120x500:20,M:400x250x500:12 (a fourth part is the greatest mass in g), or a made-up mix: ${mixNames.join(", ")}`;

/**
 * Reads `--compartments`: classes with their inner measures and counts, or the name of a made-up mix.
 *
 * @throws CliFailure (usage) where it cannot be read or breaks a rule of the protocol.
 */
export function parseCompartments(text: string): ImportedMix {
  const trimmed = text.trim();
  const name = mixNames.find((one) => one === trimmed.toLowerCase());
  if (name !== undefined) return madeUpMix(name);
  const sizeClasses = trimmed.split(",").map((part) => {
    const match =
      /^\s*([A-Za-z0-9_-]{1,16})\s*:\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*:\s*(\d{1,5})(?:\s*:\s*(\d{1,8})\s*g?)?\s*$/i.exec(
        part,
      );
    if (match === null) throw usageFailure(`--compartments: cannot read "${part.trim()}"; ${help}.`);
    const [, sizeClassId = "", width, height, depth, installed, mass] = match;
    return {
      sizeClassId,
      widthMm: Number(width),
      heightMm: Number(height),
      depthMm: Number(depth),
      installed: Number(installed),
      maxMassG: mass === undefined ? defaultMaxMassG : Number(mass),
    };
  });
  for (const sizeClass of sizeClasses) {
    try {
      validateMessage(SizeClassSchema, create(SizeClassSchema, sizeClass));
    } catch (error) {
      throw usageFailure(`--compartments, class ${sizeClass.sizeClassId}: ${(error as Error).message}.`);
    }
  }
  const ids = new Set(sizeClasses.map(({ sizeClassId }) => sizeClassId));
  if (ids.size !== sizeClasses.length) throw usageFailure("--compartments names a class twice.");
  if (ids.size > 8) throw usageFailure(`--compartments has ${ids.size} classes; a site has at most 8.`);
  return { sizeClasses, compartments: [], description: describe(sizeClasses), isMadeUp: false };
}

/** The made-up mix for sites of which nobody says what stands there. */
export function defaultMix(kind: SiteKind): ImportedMix {
  return madeUpMix(kind === SiteKind.PARCEL_TERMINAL ? "medium" : "shelf");
}

function madeUpMix(name: MixName): ImportedMix {
  const mix = namedMix(name);
  return { ...mix, description: `made up ("${name}"): ${describe(mix.sizeClasses)}`, isMadeUp: true };
}

function describe(sizeClasses: CompartmentMix["sizeClasses"]): string {
  return sizeClasses
    .map(({ sizeClassId, widthMm, heightMm, depthMm, installed }) => `${installed} ${sizeClassId} of ${widthMm}x${heightMm}x${depthMm} mm`)
    .join(", ");
}
