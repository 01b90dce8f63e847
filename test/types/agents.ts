/**
 * Types that a user leans on. Nothing here runs: `tsc` compiles it, and each line that must not compile says so.
 */
import { createTroupe, defineAgent, machineAgent, type AgentRef, type Outcome, type OutcomeOf } from "troupe";
import { setup } from "xstate";
import { z } from "zod";

/** Two types are the same type, not only assignable. */
type Same<First, Second> =
  (<Probe>() => Probe extends First ? 1 : 2) extends <Probe>() => Probe extends Second ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
function holds<_Claim extends true>(): void {}

const counter = defineAgent({
  name: "counter",
  start: () => ({ count: 0 }),
  stop: (state) => {
    holds<Same<typeof state, { count: number }>>();
  },
  capabilities: {
    add: {
      input: z.object({ by: z.coerce.number().default(1) }),
      output: z.number().transform((sum) => `sum ${sum}`),
      run({ input, state }) {
        // The handler gets what comes out of the input schema, and gives what goes into the output schema.
        holds<Same<typeof input, { by: number }>>();
        holds<Same<typeof state, { count: number }>>();
        return state.count + input.by;
      },
    },
    reset: { input: z.null(), output: z.boolean(), run: async () => true },
  },
});

const teller = defineAgent({
  name: "teller",
  capabilities: { tell: { input: z.string(), output: z.array(z.string()), run: ({ input }) => [input] } },
});

const speller = defineAgent({
  name: "speller",
  start: () => ({ told: 0 }),
  streams: {
    spell: {
      input: z.object({ word: z.string() }),
      items: z.string().transform((letter) => letter.length),
      output: z.boolean(),
      async *run({ input, state }) {
        holds<Same<typeof state, { told: number }>>();
        yield* input.word;
        return true;
      },
    },
  },
});

export async function streamsAreTyped(): Promise<void> {
  await using troupe = await createTroupe({ agents: [speller, teller] });
  const stream = troupe.stream("spell", { word: "abc" });
  for await (const item of stream) holds<Same<typeof item, number>>();
  const outcome = await stream.outcome;
  holds<Same<typeof outcome, Outcome<boolean>>>();
  holds<Same<OutcomeOf<typeof speller, "spell">, Outcome<boolean>>>();
  // @ts-expect-error the input of spell is an object
  troupe.stream("spell", "abc");
  // @ts-expect-error nobody can join a stream
  troupe.stream("spell", { word: "abc" }, { key: "k" });
  for await (const nothing of troupe.stream("tell", "x")) holds<Same<typeof nothing, never>>();
  const [ref] = await troupe.spawn(speller);
  // @ts-expect-error a speller does not tell
  ref?.stream("tell", "x");
  const any: AgentRef | undefined = ref;
  if (any !== undefined) for await (const item of any.stream("spell", 1)) holds<Same<typeof item, unknown>>();
}

export async function callsAreTyped(): Promise<void> {
  await using troupe = await createTroupe({ agents: [counter, teller] });
  // The capabilities of all agents given are one list.
  const sum = await troupe.call("add", { by: "3" });
  holds<Same<typeof sum, Outcome<string>>>();
  if (sum.ok) holds<Same<typeof sum.value, string>>();
  else holds<Same<(typeof sum.failure)["retry"], "now" | "later" | "never">>();
  const told = await troupe.call("tell", "x");
  holds<Same<typeof told, Outcome<string[]>>>();
  await troupe.call("add", {});
  // @ts-expect-error no agent of this troupe has such a capability
  await troupe.call("ad", {});
  // @ts-expect-error the input of tell is a text
  await troupe.call("tell", { text: "x" });
  // @ts-expect-error reset takes null and nothing else
  await troupe.call("reset", {});
  // @ts-expect-error options are checked as well: there is no such priority
  await troupe.call("reset", null, { priority: "urgent" });
}

export async function refsAreTyped(): Promise<void> {
  await using troupe = await createTroupe();
  const [ref] = await troupe.spawn(counter, { count: 2, restart: "permanent" });
  if (ref === undefined) return;
  const sum = await ref.call("add", { by: 1 });
  holds<Same<typeof sum, Outcome<string>>>();
  const how = ref.tell("reset", null);
  holds<Same<typeof how, "accepted" | "busy" | "stopped">>();
  // @ts-expect-error a counter does not tell
  await ref.call("tell", "x");
  // @ts-expect-error and takes no number for reset
  ref.tell("reset", 7);
  // @ts-expect-error there is no such restart type
  await troupe.spawn(counter, { restart: "always" });
  // A ref of one definition is not one of another.
  const [other] = await troupe.spawn(teller);
  // @ts-expect-error a teller's ref has none of a counter's capabilities
  const wrong: typeof ref | undefined = other;
  const any: AgentRef = ref;
  holds<Same<(typeof any)["path"], string>>();
  return void wrong;
}

export async function anUntypedTroupeTakesAnyName(): Promise<void> {
  await using troupe = await createTroupe();
  const outcome = await troupe.call("whatever", { a: 1 });
  holds<Same<typeof outcome, Outcome<unknown>>>();
}

holds<Same<OutcomeOf<typeof counter, "add">, Outcome<string>>>();
holds<Same<OutcomeOf<typeof counter, "reset">, Outcome<boolean>>>();
// @ts-expect-error a definition has outcomes of its own capabilities only
export type NoSuchOutcome = OutcomeOf<typeof counter, "tell">;

export const definitionsAreChecked = [
  defineAgent({
    name: "stutterer",
    streams: {
      stutter: {
        input: z.null(),
        items: z.number(),
        output: z.null(),
        // @ts-expect-error the handler yields what the schema of its items takes
        async *run() {
          yield "1";
          return null;
        },
      },
    },
  }),
  defineAgent({
    name: "liar",
    capabilities: {
      // @ts-expect-error the handler must give what the output schema takes
      lie: { input: z.null(), output: z.number(), run: () => "seven" },
    },
  }),
  defineAgent({
    name: "odd",
    // @ts-expect-error a mailbox overflows by one of three policies
    mailbox: { overflow: "explode" },
    capabilities: { rest: { input: z.null(), output: z.null(), run: () => null } },
  }),
  // @ts-expect-error every capability has an output schema
  defineAgent({ name: "mute", capabilities: { say: { input: z.string(), run: () => null } } }),
  // @ts-expect-error every capability has an input schema
  defineAgent({ name: "deaf", capabilities: { say: { output: z.null(), run: () => null } } }),
];

const light = setup({
  types: { context: {} as { toggles: number }, events: {} as { type: "toggle"; by: string } },
}).createMachine({
  id: "light",
  context: { toggles: 0 },
  initial: "off",
  states: { off: { on: { toggle: "on" } }, on: { on: { toggle: "off" } } },
});

const lamp = machineAgent(light).define({
  name: "lamp",
  capabilities: {
    toggle: {
      input: z.string(),
      output: z.enum(["on", "off"]),
      event: (by) => ({ type: "toggle", by }),
      reply: (snapshot) => {
        holds<Same<typeof snapshot.value, "on" | "off">>();
        holds<Same<typeof snapshot.context, { toggles: number }>>();
        return snapshot.value;
      },
    },
  },
});

export async function machinesAreTyped(): Promise<void> {
  await using troupe = await createTroupe({ agents: [lamp] });
  const outcome = await troupe.call("toggle", "ann");
  holds<Same<typeof outcome, Outcome<"on" | "off">>>();
  // @ts-expect-error the input is a text
  await troupe.call("toggle", 7);
  machineAgent(light).define({
    name: "wrong",
    capabilities: {
      // @ts-expect-error the machine has no such event
      toggle: { input: z.string(), output: z.null(), event: () => ({ type: "explode" }), reply: () => null },
    },
  });
}
