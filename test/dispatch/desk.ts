import { expect } from "vitest";
import { createTroupe, type Outcome, type StreamEvent, type Troupe, type TroupeOptions } from "troupe";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";

/** A troupe under a clock that stands still, with everything that it publishes written down. */
export interface Desk extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly troupe: Troupe;
  readonly events: readonly StreamEvent[];
  readonly log: readonly string[];
  /** The types of the events so far that begin with one of these prefixes, in order, with what tells them apart. */
  readonly story: (...prefixes: string[]) => string[];
  /** Resolves with the outcome after moving time on by `ms`. */
  readonly after: <Value>(ms: number, outcome: Promise<Value>) => Promise<Value>;
}

/** Opens a desk; closing it checks that no timer and no actor is left. */
export async function openDesk(options: TroupeOptions = {}, clock: FakeClock = new FakeClock()): Promise<Desk> {
  const log: string[] = [];
  const ports = {
    clock,
    random: seededRandom(1),
    ids: seededIds(1),
    log: { write: (level: string, message: string) => log.push(`${level}: ${message}`) },
    ...options.ports,
  };
  const opening = createTroupe({ ...options, ports });
  await clock.settle();
  const troupe = await opening;
  const events: StreamEvent[] = [];
  const reading = (async () => {
    for await (const event of troupe.events()) events.push(event);
  })();
  return {
    clock,
    troupe,
    events,
    log,
    story: (...prefixes) =>
      events.filter(({ type }) => prefixes.some((prefix) => type.startsWith(prefix))).map((event) => tell(event)),
    async after(ms, outcome) {
      // A rejection is looked at by whoever awaits it below.
      outcome.catch(() => undefined);
      await clock.advance(ms);
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      const closed = troupe.close();
      await clock.advance(60_000);
      await closed;
      await reading;
      expect(clock.waiting).toBe(0);
      expect(troupe.metrics().residentActors).toBe(0);
    },
  };
}

function tell({ type, agent, data }: StreamEvent): string {
  const { code, capability, from, to, reason } = data as { readonly [key: string]: string | undefined };
  const detail = [agent, reason, capability, code, from === undefined ? undefined : `${from}>${to}`];
  return [type, ...detail.filter((each) => each !== undefined && each !== "")].join(" ");
}

/** What an outcome comes to, in one word. */
export function end(outcome: Outcome<unknown>): unknown {
  return outcome.ok ? outcome.value : outcome.failure.code;
}
