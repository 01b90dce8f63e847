import type { Outcome } from "../../machines/failure.ts";
import { capabilityKey } from "../agent/handler-behaviour.ts";
import type { Group } from "./registry.ts";

/** A request on its way through the stages. */
export interface RoutedRequest {
  readonly capability: string;
  readonly input: unknown;
  readonly baggage: Readonly<Record<string, string>>;
}

export type Enrich = (request: RoutedRequest) => RoutedRequest;
/** Narrows the groups that may take the request; it never adds one. */
export type Route = (request: RoutedRequest, groups: readonly Group[]) => readonly Group[];
export type MapOutcome = (outcome: Outcome<unknown>, request: RoutedRequest) => Outcome<unknown>;

/**
 * The pure stages of a call. Their order is fixed: enrich, route, select (by the strategy, `selection.ts`), send
 * (the only effect, the dispatcher's), map. A new concern joins one of these lists.
 */
export interface Stages {
  readonly enrich: readonly Enrich[];
  readonly route: readonly Route[];
  readonly map: readonly MapOutcome[];
}

/** Sends a request to the agents of one name when a field of its input has a value. */
export interface ContentRoute {
  readonly capability: string;
  /** A dotted path into the input. */
  readonly when: { readonly path: string; readonly equals: string | number | boolean | null };
  readonly agent: string;
}

function valueAt(input: unknown, path: string): unknown {
  let value: unknown = input;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The content-routing stage: the first rule that matches decides; without a match all groups stay. */
export function routeByContent(rules: readonly ContentRoute[]): Route {
  return (request, groups) => {
    const rule = rules.find(
      (each) =>
        capabilityKey(each.capability) === capabilityKey(request.capability) &&
        valueAt(request.input, each.when.path) === each.when.equals,
    );
    return rule === undefined ? groups : groups.filter((group) => group.behaviour.name === rule.agent);
  };
}
