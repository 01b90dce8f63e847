import { describe, expect, test } from "vitest";
import { PatientClock } from "./patient-clock.ts";
import { makeFolder, setScene, task, until, workflow } from "./scene.ts";

const waitFor = (name: string, rest: object = {}): object => ({
  id: "wait",
  name: "Wait",
  type: "event",
  event: { name, ...rest },
  output: { got: "$.output" },
  next: "$end",
});

describe("emit", () => {
  test("wakes every run that waits for the event, and no other", async () => {
    const { troupe, close } = await setScene();
    const first = await troupe.run(workflow("a", [waitFor("push")]));
    const second = await troupe.run(workflow("b", [waitFor("push", { match: "$.output.branch == 'main'" })]));
    const third = await troupe.run(workflow("c", [waitFor("other")]));
    const foreign = await troupe.run(workflow("a", [waitFor("push")]), {}, { namespace: "tenant" });
    expect(await troupe.emit("push", { branch: "dev" })).toMatchObject({ isNew: true, started: [] });
    expect(await first.result()).toEqual({ ok: true, value: { got: { branch: "dev" } } });
    expect((await second.status()).status).toBe("running");
    await troupe.emit("push", { branch: "main" });
    expect(await second.result()).toMatchObject({ ok: true });
    for (const run of [third, foreign]) expect((await run.status()).status).toBe("running");
    await close();
  });

  test("starts the workflows that it triggers, once for each event id", async () => {
    const { troupe, of, close } = await setScene();
    await troupe.workflows.define(
      workflow("deploy", [task("go", "echo", { input: "$.input.payload.commit" })], {
        triggers: [{ event: "merged", match: "$.output.branch == 'main'" }],
      }),
    );
    const payload = { branch: "main", commit: "abc" };
    const [one, two] = await Promise.all([
      troupe.emit("merged", payload, { id: "delivery-1" }),
      troupe.emit("merged", payload, { id: "delivery-1" }),
    ]);
    expect(one.isNew).not.toBe(two.isNew);
    expect(await troupe.emit("merged", { branch: "dev" }, { id: "delivery-2" })).toMatchObject({ started: [] });
    const runs = await troupe.runs.list({ workflow: "deploy" });
    expect(runs).toHaveLength(1);
    await (await troupe.runs.get(runs[0]?.id ?? "")).result();
    expect(of("echo").map(({ input }) => input)).toEqual(["abc"]);
    await close();
  });

  test("one run can wake another with an emit step", async () => {
    const { troupe, close } = await setScene();
    const waiting = await troupe.run(workflow("a", [waitFor("ready")]));
    const telling = await troupe.run(
      workflow("b", [
        {
          id: "tell",
          name: "Tell",
          type: "event",
          event: { emit: "ready", payload: { from: "$.workflowName" } },
          next: "$end",
        },
      ]),
    );
    await telling.result();
    expect(await waiting.result()).toEqual({ ok: true, value: { got: { from: "Workflow b" } } });
    await close();
  });

  test("an event that was taken in but not delivered is delivered by the next process", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real" });
    const run = await first.troupe.run(workflow("a", [waitFor("push")]));
    // The process ends right after the event is durable and before anybody was told.
    await first.troupe.store.commit({
      createEvents: [
        { id: "e1", namespace: "default", variant: "", event: "push", at: 1, payload: "7", delivered: false },
      ],
    });
    await first.close();
    const second = await setScene({ options, clock: "real", seed: 2 });
    const again = await second.troupe.runs.get(run.id);
    expect(await again.result()).toEqual({ ok: true, value: { got: 7 } });
    expect(await second.troupe.emit("push", 8, { id: "e1" })).toMatchObject({ isNew: false });
    await second.close();
  });

  test("however many an earlier process left, all are delivered, and one that cannot be keeps no other back", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real" });
    const run = await first.troupe.run(workflow("a", [waitFor("push")]));
    const event = { namespace: "default", variant: "", event: "other", payload: "7", delivered: false };
    const createEvents = Array.from({ length: 2_100 }, (_, index) => ({ ...event, id: `e${index}`, at: index }));
    const broken = { ...event, id: "broken", at: 0, payload: "{no json" };
    const last = { ...event, id: "last", event: "push", at: 3_000 };
    await first.troupe.store.commit({ createEvents: [broken, ...createEvents, last] });
    await first.close();
    const second = await setScene({ options, clock: "real", seed: 2 });
    expect(await (await second.troupe.runs.get(run.id)).result()).toEqual({ ok: true, value: { got: 7 } });
    await second.troupe.runs.recovered();
    expect((await second.troupe.store.listEvents()).map(({ id }) => id)).toEqual(["broken"]);
    await second.close();
  });

  test("an event needs a name, and a payload that JSON can carry", async () => {
    const { troupe, close } = await setScene();
    await expect(troupe.emit("", 1)).rejects.toThrow(/1 to 256 characters/);
    await expect(troupe.emit("x", 10n)).rejects.toThrow(/cannot be written as JSON/);
    await close();
  });
});

describe("the stream", () => {
  test("tells a run by the names of the documents, with the run's id", async () => {
    const { troupe, clock, close } = await setScene();
    const subscription = troupe.events({ type: ["execution.*", "step.*", "task.*"] });
    const types: string[] = [];
    const reading = (async () => {
      for await (const event of subscription) {
        const { step } = event.data;
        types.push(typeof step === "string" ? `${event.type} ${step}` : event.type);
      }
    })();
    const run = await troupe.run(workflow("w", [task("a", "echo", { next: "b" }), task("b", "nobody")]));
    await run.result();
    const done = await troupe.run(workflow("v", [task("a", "echo")]));
    await done.result();
    await clock.advance(0);
    await subscription.return();
    await reading;
    expect(types).toEqual([
      "execution.started",
      "step.started a",
      "task.opened a",
      "task.completed",
      "step.completed a",
      "step.started b",
      "task.opened b",
      "task.failed",
      "step.failed b",
      "execution.failed",
      "execution.started",
      "step.started a",
      "task.opened a",
      "task.completed",
      "step.completed a",
      "execution.completed",
    ]);
    await close();
  });

  test("a handle follows its own run only", async () => {
    const { troupe, clock, close } = await setScene();
    const waiting = await troupe.run(workflow("a", [waitFor("push")]));
    const seen: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const event of waiting.events()) {
        seen.push(event.runId);
        if (event.type === "execution.completed") break;
      }
    })();
    await (await troupe.run(workflow("v", [task("a", "echo")]))).result();
    await waiting.signal("push", 1);
    await clock.advance(0);
    await reading;
    expect(new Set(seen)).toEqual(new Set([waiting.id]));
    await close();
  });
});

describe("schedules", () => {
  test("an interval starts a run each time, and a restart neither doubles nor forgets one", async () => {
    using folder = makeFolder();
    const clock = new PatientClock();
    const options = { store: folder.store };
    const definition = workflow("tick", [task("a", "echo", { input: "$.input.n" })], {
      schedules: [{ everyMs: 60_000, input: { n: 1 } }],
    });
    const first = await setScene({ options, clock });
    await first.troupe.workflows.define(definition);
    await clock.advance(60_000);
    await until(() => first.of("echo").length === 1);
    await first.close();
    await clock.advance(30_000);
    const second = await setScene({ options, clock, seed: 2 });
    await second.troupe.workflows.define(definition);
    await clock.advance(24_000);
    expect(second.of("echo")).toHaveLength(0);
    await clock.advance(1_000);
    await until(() => second.of("echo").length === 1);
    await second.close();
    // Ten intervals pass while nobody works: one run makes up for them.
    await clock.advance(600_000);
    const third = await setScene({ options, clock, seed: 3 });
    await clock.advance(0);
    await until(() => third.of("echo").length === 1);
    await clock.advance(5_000);
    expect(await third.troupe.runs.list({ workflow: "tick" })).toHaveLength(3);
    await third.close();
  });

  test("a cron line is kept in its time zone", async () => {
    const noon = Date.UTC(2026, 0, 1, 12, 0, 0);
    const { troupe, clock, close } = await setScene({ clock: new PatientClock(noon) });
    await troupe.workflows.define(
      workflow("daily", [task("a", "echo")], { schedules: [{ cron: "0 9 * * *", timeZone: "Asia/Tokyo" }] }),
    );
    await clock.advance(12 * 3_600_000 - 1_000);
    expect(await troupe.runs.list()).toHaveLength(0);
    await clock.advance(1_000);
    expect(await troupe.runs.list()).toHaveLength(1);
    await clock.advance(24 * 3_600_000);
    expect(await troupe.runs.list()).toHaveLength(2);
    await close();
  });
});
