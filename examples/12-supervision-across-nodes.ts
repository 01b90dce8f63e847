import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { createTroupe, defineAgent, type RemotePeer } from "troupe";
import { z } from "zod";

// This file is three processes: started by hand it starts itself twice more, as the nodes that its child may run on.
const auth = { token: process.env["TOKEN"] ?? crypto.randomUUID() };
const node = process.env["NODE_NAME"];
// Short times, so that a lost node is given up within seconds.
const links = { heartbeatMs: 200, sessionMs: 1_000 };

async function serve(name: string): Promise<void> {
  let pages = 0;
  const printer = defineAgent({
    name: "printer",
    capabilities: {
      print: { input: z.null(), output: z.string(), run: () => `page ${(pages += 1)} of ${name}` },
      jam: {
        input: z.null(),
        output: z.null(),
        run: ({ progress }) => {
          progress(0.5);
          return new Promise<null>(() => {});
        },
      },
    },
  });
  await using troupe = await createTroupe({ node: name, links });
  const grants = ["tell:/*", "watch:/*", "spawn:printer@1"];
  const { url } = await troupe.listen({ port: 0, auth, grants, spawn: [printer] });
  process.send?.(url);
  await once(process, "disconnect");
}

async function start(name: string): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, TOKEN: auth.token, NODE_NAME: name };
  const child = fork(import.meta.filename, { env });
  const [url] = (await once(child, "message")) as [string];
  return { child, url };
}

async function supervise(): Promise<void> {
  const [east, west] = [await start("east"), await start("west")];
  await using troupe = await createTroupe({ node: "chair", links });
  const on: RemotePeer[] = [];
  for (const { url } of [east, west]) on.push(await troupe.connect(url, { auth }));
  const { agents } = await troupe.supervise({ name: "press", children: [{ remote: "printer@1", on }] });
  const [printer] = agents as [(typeof agents)[number]];
  const print = async (): Promise<void> => {
    const outcome = await printer.call("print", null);
    console.log(
      `${printer.path} runs on ${printer.node}: ${outcome.ok ? String(outcome.value) : outcome.failure.code}`,
    );
  };
  await print();

  // A node is lost: that is a crash of its child.
  const down = printer.monitor();
  const jam = await printer.call("jam", null, { onProgress: () => east.child.kill("SIGKILL") });
  console.log(`east was killed in the middle of a page: ${jam.ok ? "printed" : jam.failure.code}`);
  const { reason, failure } = await down;
  console.log(`monitor heard: ${reason}, ${failure?.code}`);

  // The supervisor waits until the lost one can do nothing more, and starts it on the next node.
  while (printer.state !== "running") await setTimeout(50);
  await print();
  west.child.disconnect();
  await once(west.child, "exit");
}

await (node === undefined ? supervise() : serve(node));
