import type { InspectionEvent } from "xstate";

/** Sends to an inspector's WebSocket that runs already, here or elsewhere. */
export interface RemoteInspector {
  /** `ws:`, `wss:`, `http:` or `https:`. What the agents' machines hold is sent there, without secrets. */
  readonly url: string;
}

/** Serves a page with the Stately Inspector on this machine's loopback address. */
export interface LocalInspector {
  /** Default 0: any free one. */
  readonly port?: number;
  /** The inspector that the page shows; default "https://stately.ai/inspect". */
  readonly inspectorUrl?: string;
}

/** Where a troupe is shown: on a page of its own, or by an inspector that runs already. */
export type InspectorPlace = RemoteInspector | LocalInspector;

/** A troupe's inspector, while the troupe runs. */
export interface Inspector {
  /** The page to open in a browser, or where events are sent to. */
  readonly url: string;
  /** What was not shown because there was too much of it: actors that started unseen, and events. */
  leftOut(): { readonly actors: number; readonly events: number };
}

/** An open inspector as its owner holds it: where XState's inspection events go, and how it ends. */
export interface OpenInspector extends Inspector {
  /** Never throws, and never waits. */
  readonly sink: (event: InspectionEvent) => void;
  /** Sends what is queued, within a bounded time, and leaves nothing open. */
  close(): Promise<void>;
}
