// Makes calls with the official SDK for Node: a request a line on stdin, what came of it a line on stdout.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Telnyx } = createRequire(`${process.argv[2]}/`)("telnyx");

for await (const line of createInterface({ input: process.stdin })) {
  const { base_url, options, method, args } = JSON.parse(line);
  const { idempotencyHeader, ...others } = options;
  const client = new Telnyx({ apiKey: "key", baseURL: base_url, ...others });
  if (idempotencyHeader) client.idempotencyHeader = idempotencyHeader;
  const on = method === "dial" || method === "retrieveStatus" ? client.calls : client.calls.actions;
  let told;
  try {
    told = { data: (await on[method](...args)).data };
  } catch (error) {
    told = { error: error.constructor.name, status: error.status ?? null, body: error.error ?? null };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
