import type * as Stately from "@statelyai/inspect";
import { TroupeError } from "../errors.ts";
import { systemClock, type Clock } from "../ports/clock.ts";
import type { InspectorPlace, OpenInspector } from "../ports/inspection.ts";
import type { Log } from "../ports/log.ts";
import { Bridge } from "./bridge.ts";
import { Feed } from "./feed.ts";
import { Link } from "./link.ts";
import { writeMessage } from "./message.ts";
import { drawnDepthMax } from "./projection.ts";
import { Replay } from "./replay.ts";

const statelyInspector = "https://stately.ai/inspect";

/** Charts, snapshots and events are cut to size before they are serialized, so this cuts nothing more. */
const serializedDepthMax = drawnDepthMax * 8;

const linkProtocols: readonly string[] = ["ws:", "wss:", "http:", "https:"];

/** What both ways to the inspector have in common: the bridge of this process, and the link to another. */
interface Way {
  readonly url: string;
  close(): Promise<void>;
  notify?(subject: string, text: string): void;
}

/**
 * Opens the way from a troupe to the Stately Inspector. It watches in the viewer's time: its clock is the machine's,
 * also where the troupe runs on another.
 * Errors: throws `usage/invalid-options` for a place that cannot be, `usage/missing-peer` without the package.
 */
export async function openInspector(
  place: InspectorPlace,
  log: Log,
  clock: Clock = systemClock,
): Promise<OpenInspector> {
  checkPlace(place);
  const { createInspector } = await loadStately();
  const replay = new Replay();
  const way = await openWay(place, replay, { log, clock });
  const stately = createInspector(
    {
      send(event: Stately.StatelyInspectionEvent) {
        const message = writeMessage(event);
        if (message !== undefined) replay.push(message);
      },
    },
    { serializationDepthLimit: serializedDepthMax },
  );
  const feed = new Feed(clock, {
    show: (event) => stately.inspect.next?.(event as never),
    notify(subject, text) {
      log.write("warn", text);
      way.notify?.(subject, text);
    },
  });
  return {
    url: way.url,
    sink: feed.take,
    leftOut: () => feed.leftOut(),
    async close() {
      feed.end();
      await passTimers();
      await way.close();
    },
  };
}

async function openWay(
  place: InspectorPlace,
  replay: Replay,
  ports: { readonly log: Log; readonly clock: Clock },
): Promise<Way> {
  if ("url" in place) return new Link(place.url, replay, ports);
  const { port = 0, inspectorUrl = statelyInspector } = place;
  const bridge = await Bridge.open(replay, { port, inspectorUrl, clock: ports.clock });
  ports.log.write("info", `watch this troupe at ${bridge.url}`, { url: bridge.url });
  return bridge;
}

/** The package converts each event in a timer of its own; those set before this one have run when it fires. */
function passTimers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function loadStately(): Promise<typeof Stately> {
  try {
    return await import("@statelyai/inspect");
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw problem;
    const message =
      "inspect needs the package @statelyai/inspect, which is not installed; run `npm i -D @statelyai/inspect`";
    throw new TroupeError("usage/missing-peer", message, { data: { package: "@statelyai/inspect" }, cause: problem });
  }
}

function checkPlace(place: InspectorPlace): void {
  if ("url" in place) return checkUrl("inspect.url", place.url, linkProtocols);
  const { port = 0, inspectorUrl = statelyInspector } = place;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    refuse(`inspect.port is ${port}; it must be a whole number from 0 (any free port) to 65535`);
  checkUrl("inspect.inspectorUrl", inspectorUrl, ["https:", "http:"]);
}

function checkUrl(name: string, url: string, protocols: readonly string[]): void {
  const parsed = URL.parse(url);
  if (parsed === null || !protocols.includes(parsed.protocol))
    refuse(
      `${name} is not an address with one of ${protocols.join(" ")}; write for example "${protocols[0]}//127.0.0.1:8080"`,
    );
  if (parsed?.hash !== "" && name === "inspect.url")
    refuse(`${name} has a fragment (#…), which a socket cannot have; take it away`);
}

function refuse(message: string): never {
  throw new TroupeError("usage/invalid-options", message);
}
