import { create } from "@bufbuild/protobuf";
import { SiteKind, SizeClassSchema, validateMessage } from "@petak/protocol";
import { usageFailure } from "../failure.ts";
import { type CompartmentMix, type MixName, mixNames, namedMix } from "../places/compartment-mix.ts";

/** The compartments of an import's sites. */
export interface ImportedMix extends CompartmentMix {
  /** Description for people: classes, counts, and whether they are made up. */
  readonly description: string;
  /** True if the user did not give the real ones. */
  readonly isMadeUp: boolean;
}

/** Default maximum mass of a place, in g. */
const defaultMaxMassG = 20_000;

const help = `write classes as ID:WIDTHxHEIGHTxDEPTH:COUNT in mm, e.g. S:400x120x500:20,M:400x250x500:12 (a fourth part is the greatest mass in g), or a made-up mix: ${mixNames.join(", ")}`;

/**
 * Parses `--compartments`: classes with inner measures and counts, or the name of a made-up mix.
 *
 * @throws CliFailure (usage) if it is malformed or violates the protocol.
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

/** The default, made-up mix. */
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
