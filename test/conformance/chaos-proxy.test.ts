import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ChaosProxy } from "./chaos-proxy.ts";

test("the proxy delays bytes without changing their order, also when a later delay is shorter", async () => {
  const echo = createServer((socket) => socket.pipe(socket));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  const proxy = await ChaosProxy.open();
  proxy.target = (echo.address() as AddressInfo).port;
  const socket = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true }).setEncoding("utf8");
  let heard = "";
  const until = async (text: string): Promise<void> => {
    while (heard.length < text.length) heard += String((await once(socket, "data"))[0]);
  };
  socket.write("0");
  await until("0");
  const sent = "0123456789";
  for (const digit of sent.slice(1)) {
    proxy.delay(20 - 2 * Number(digit));
    socket.write(digit);
    // Each digit is a chunk of its own only when the one before has left this side.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(sent);
  expect(heard).toBe(sent);
  socket.destroy();
  await proxy.close();
  echo.close();
});
