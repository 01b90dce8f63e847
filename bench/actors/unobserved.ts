import { registerHooks } from "node:module";
import type * as Library from "troupe";
import { removeObservation } from "./observation.ts";

/** Marks the second copy of the runtime in its modules' addresses. */
const mark = "?unobserved";
/** The port itself and its subscribers stay as they are. */
const kept = /\/src\/(ports|stream)\//;
/** Fewer than this and the source has changed its ways: then the pair would compare a thing with itself. */
const pointsMin = 20;

function readText(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

/**
 * Loads a second copy of the runtime, from the same sources, with every observation point taken out as they are
 * loaded: both copies then run side by side in one process.
 */
export async function loadUnobserved(): Promise<typeof Library> {
  let points = 0;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const inside = context.parentURL?.endsWith(mark) === true && /\/(src|machines)\/.+\.ts$/.test(resolved.url);
      return inside ? { ...resolved, url: resolved.url + mark } : resolved;
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = url.slice(0, -mark.length);
      if (!url.endsWith(mark) || kept.test(url) || loaded.source === null || loaded.source === undefined) return loaded;
      const removed = removeObservation(file, readText(loaded.source));
      points += removed.points;
      return { ...loaded, source: removed.source };
    },
  });
  const entry = new URL(`../../src/index.ts${mark}`, import.meta.url);
  const library = (await import(entry.href)) as typeof Library;
  if (points < pointsMin)
    throw new Error(`only ${points} observation points were found; at least ${pointsMin} are known`);
  return library;
}
