import { fork } from "node:child_process";
import { once } from "node:events";
import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";

// This file is both processes: started by hand it starts itself again, as the node that the first one calls.
const auth = { token: process.env["TOKEN"] ?? crypto.randomUUID() };
const isServer = process.send !== undefined;

async function serve(): Promise<void> {
  const greeter = defineAgent({
    name: "greeter",
    capabilities: {
      greet: {
        input: z.object({ name: z.string() }),
        output: z.string(),
        run: ({ input, agent }) => `Hello, ${input.name}, says ${agent.path}`,
      },
    },
  });
  await using troupe = await createTroupe({ agents: [greeter], node: "north" });
  await troupe.spawn(greeter);
  const { url } = await troupe.listen({ port: 0, auth });
  process.send?.(url);
  await once(process, "disconnect");
}

async function ask(): Promise<void> {
  const other = fork(import.meta.filename, { env: { ...process.env, TOKEN: auth.token } });
  const [url] = (await once(other, "message")) as [string];
  await using troupe = await createTroupe({ node: "south" });
  const peer = await troupe.connect(url, { auth });
  console.log(`${peer.node} offers ${peer.capabilities.join(", ")}`);

  // Nobody here can greet, so the call goes to the other process.
  const outcome = await troupe.call("greet", { name: "Ada" });
  console.log(outcome.ok ? outcome.value : outcome.failure.message);

  // A ref of an agent elsewhere is used as one of an agent here.
  const ref = peer.ref("/greeter/1");
  const down = ref.monitor();
  console.log(await ref.call("greet", { name: 42 }).then((refused) => (refused.ok ? "greeted" : refused.failure.code)));

  // The other process goes: its monitors hear it, and later calls say so.
  await peer.close();
  console.log(`monitor heard: ${(await down).reason}`);
  const late = await ref.call("greet", { name: "Grace" });
  console.log(late.ok ? "greeted" : late.failure.code);
  other.disconnect();
  await once(other, "exit");
}

await (isServer ? serve() : ask());
