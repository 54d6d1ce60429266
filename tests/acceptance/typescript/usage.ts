// A use of the generated types as a client would write it: it has only to compile.
import type { components, operations, paths } from "./schema";

type Problem = components["schemas"]["Problem"];
type Store = paths["/v1/memories"]["post"];
type StoreBody = Store["requestBody"]["content"]["application/json"];
type Stored = Store["responses"]["201"]["content"]["application/json"];
type RecallBody = operations["recall"]["requestBody"]["content"]["application/json"];
type Recalled = operations["recall"]["responses"]["200"]["content"]["application/json"];

class Failure extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

async function call<Answer>(method: string, path: string, key: string, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Failure((await response.json()) as Problem);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

export async function roundTrip(url: string, key: string): Promise<string[]> {
  const body: StoreBody = {
    user_id: "alice",
    items: [{ content: "I adopted a grey cat called Miso.", role: "user", metadata: { channel: "web" } }],
  };
  const stored = await call<Stored>("POST", `${url}/v1/memories`, key, body);
  const question: RecallBody = {
    query: "What pet does she have?",
    user_id: "alice",
    limit: 5,
    filters: { "metadata.channel": { eq: "web" } },
  };
  const found = await call<Recalled>("POST", `${url}/v1/recall`, key, question);
  const [first] = stored.items;
  if (first !== undefined) await call<void>("DELETE", `${url}/v1/memories/${first.id}`, key);
  const dense: number[] = found.hits.flatMap((hit) => (hit.explain?.dense ? [hit.explain.dense.score] : []));
  return found.hits.map((hit) => `${hit.content} (${hit.role ?? "?"}, ${hit.score}, ${dense.length})`);
}

export function refusals(): StoreBody[] {
  return [
    // @ts-expect-error: a body without items is refused
    { user_id: "alice" },
    // @ts-expect-error: content is a text
    { user_id: "alice", items: [{ content: 7 }] },
    // @ts-expect-error: there are two ways to infer, not this one
    { user_id: "alice", items: [{ content: "x" }], infer: "perhaps" },
  ];
}
