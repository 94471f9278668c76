// fauxqs in memory on 127.0.0.1 (its own entry listens on every address), without a log of requests: node serve.mjs PORT
import { buildApp } from "fauxqs";

await buildApp({ logger: false }).listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
