import type { Peer } from "../wire.ts";
import { loadPeer } from "./load.ts";

type Reply = (error: unknown, payload?: string) => void;

/** What the bench uses of gRPC. */
interface GrpcModule {
  readonly Server: new () => {
    addService(service: object, handlers: { echo(call: { readonly request: string }, reply: Reply): void }): void;
    bindAsync(address: string, credentials: unknown, bound: (error: Error | null, port: number) => void): void;
  };
  readonly ServerCredentials: { createInsecure(): unknown };
  readonly credentials: { createInsecure(): unknown };
  readonly makeGenericClientConstructor: (
    service: object,
    name: string,
  ) => new (address: string, credentials: unknown) => { echo(payload: string, reply: Reply): void; close(): void };
}

const toBytes = (text: string): Buffer => Buffer.from(text);
const toText = (bytes: Buffer): string => bytes.toString();
const service = {
  echo: {
    path: "/bench.Echo/Echo",
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: toText,
    responseSerialize: toBytes,
    responseDeserialize: toText,
  },
};

/** gRPC unary calls, without a schema's encoding: texts as they are. */
export const grpc: Peer = {
  serve() {
    const { Server, ServerCredentials } = loadPeer<GrpcModule>("@grpc/grpc-js");
    const server = new Server();
    server.addService(service, { echo: (call, reply) => reply(null, call.request) });
    return new Promise((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
  },
  connect(port) {
    const { makeGenericClientConstructor, credentials } = loadPeer<GrpcModule>("@grpc/grpc-js");
    const Echo = makeGenericClientConstructor(service, "Echo");
    const client = new Echo(`127.0.0.1:${port}`, credentials.createInsecure());
    return Promise.resolve({
      call: (payload, answered) => client.echo(payload, () => answered()),
      close: () => client.close(),
    });
  },
};
