import type { Readings, Scale } from "../measuring/arm.ts";
import { measureRate } from "../measuring/clocks.ts";
import { bursts, callersMax } from "./scales.ts";
import type { Tally } from "./tally.ts";

/** The largest burst must fit into a mailbox that is not under test. */
export const burstCapacity = 131_072;
/** Every call of the bench carries this timeout. */
export const callTimeoutMs = 5_000;

const callsPerStep = 2_048;

/** Measures messages without a reply, in bursts; every burst is complete before the next begins. */
export async function measureTells(send: (index: number) => void, tally: Tally, scale: Scale): Promise<Readings> {
  const readings: Record<string, Readings[string]> = {};
  for (const burst of bursts) {
    const step = async (): Promise<number> => {
      const handled = tally.expect(burst);
      for (let index = 0; index < burst; index += 1) send(index);
      await handled;
      tally.check(burst);
      return burst;
    };
    readings[`tell-${burst}`] = await measureRate(step, scale);
  }
  return readings;
}

/** How requests are made, and what makes a reply to the one with this index right. */
interface Caller<Reply> {
  readonly call: (index: number) => Promise<Reply>;
  readonly isRight: (reply: Reply, index: number) => boolean;
}

/** Measures requests with a reply, one after the other and from many callers at once. */
export async function measureCalls<Reply>({ call, isRight }: Caller<Reply>, scale: Scale): Promise<Readings> {
  const callInTurn = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const reply = await call(index);
      if (!isRight(reply, index)) throw new Error(`call ${index} had a wrong reply: ${JSON.stringify(reply)}`);
    }
  };
  const sequential = async (): Promise<number> => {
    await callInTurn(callsPerStep);
    return callsPerStep;
  };
  const concurrent = async (): Promise<number> => {
    await Promise.all(Array.from({ length: callersMax }, () => callInTurn(callsPerStep / callersMax)));
    return callsPerStep;
  };
  return {
    "call-sequential": await measureRate(sequential, scale),
    "call-concurrent": await measureRate(concurrent, scale),
  };
}
