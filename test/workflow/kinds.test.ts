import type { StepKind } from "troupe";
import { expect, test } from "vitest";
import { z } from "zod";
import { setScene, task, workflow } from "./scene.ts";

/** Asks the same question so many times, and gives back how often the answer was the same as the first. */
const poll: StepKind = {
  name: "poll",
  summary: "One question, to a capability that decides by itself whom it asks.",
  shape: { question: z.string(), of: z.string() },
  waits: true,
  retries: true,
  describe: (step) => `asks ${(step as unknown as { of: string }).of}`,
  sources: (step) => [
    { path: ["question"], value: (step as unknown as { question: string }).question, as: "template" },
  ],
  begin(run) {
    const { of } = run.plan.step as unknown as { of: string };
    run.schedule({ capability: of }, { input: { question: run.evaluate("question") ?? null } });
  },
  receive(run, answer) {
    if (answer.type === "task.completed") run.complete({ answered: answer.output });
  },
};

const asked = { id: "ask", name: "Ask", type: "poll", question: "Is ${$.input.what} ready?", of: "echo" };

test("a step kind of one's own is one more entry: read, checked, run and retried as the built-in ones are", async () => {
  const { troupe, seen, close } = await setScene({ options: { workflows: { kinds: [poll] } } });
  const run = await troupe.run(
    workflow("w", [{ ...asked, output: { it: "$.output.answered.question" }, next: "after" }, task("after", "echo")]),
    { what: "tea" },
  );
  expect(await run.result()).toEqual({ ok: true, value: { it: "Is tea ready?" } });
  expect(seen[0]).toMatchObject({ capability: "echo", key: `${run.id}/ask/1/1` });
  const { errors } = troupe.workflows.validate(workflow("w", [{ ...asked, question: 7, off: "x" }]));
  expect(errors.map(({ path }) => path).toSorted()).toEqual(["steps[0].off", "steps[0].question"]);
  await close();
});

test("a kind that nobody gave is refused with the kinds there are, and a name that is taken with that name", async () => {
  const { troupe, close } = await setScene();
  expect(troupe.workflows.validate(workflow("w", [asked])).errors[0]).toMatchObject({ path: "steps[0].type" });
  await close();
  await expect(setScene({ options: { workflows: { kinds: [{ ...poll, name: "task" }] } } })).rejects.toThrow(
    "there is a step kind task already",
  );
});
