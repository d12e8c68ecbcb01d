/** What the scripted kernel says, scene by scene. */

import type { CommandMessage, MessageView, Op, SettingsView, SnapshotOp, UsageView } from "../src/protocol";
import { APPROVALS, CODE, HOSTILE_APPROVALS, HOSTILE_RUNS, PICTURE, RUNS, TOOLS } from "./cards";
import { approval, type FakeModel, message, snapshot, state, toolRun } from "./fake";

const USAGE: UsageView = {
  input_tokens: 1240,
  output_tokens: 486,
  reasoning_tokens: null,
  cache_read_tokens: 1024,
  cache_write_tokens: null,
  cost_usd: 0.0113,
  cost_is_estimate: false,
};

const ANSWER = `A **list comprehension** builds a list from any iterable, in one expression. It reads as *"this, for each of those, if …"*:

\`\`\`python
import pandas as pd

squares = [n * n for n in range(10) if n % 2]   # 1, 9, 25, 49, 81
frame = pd.DataFrame({"n": range(10), "square": [n * n for n in range(10)]})
print(f"largest: {frame['square'].max():,}")
\`\`\`

### When to use which

| Form | Makes | Memory | Good for |
|:-----|:------|-------:|:---------|
| \`[x for x in xs]\` | a list | all items | small results used twice |
| \`(x for x in xs)\` | a generator | one item | sums, streams |
| \`{k: v for k, v in xs}\` | a dict | all items | lookups |

1. Keep the condition short; a function with a name reads better than three \`and\`.
2. Nest at most twice:
   - the first \`for\` is the outer loop
   - the second is the inner one
3. For numbers, prefer NumPy.

> A comprehension with side effects is a loop that hides.

The sum of the first $n$ squares is

$$\\sum_{k=1}^{n} k^2 = \\frac{n(n+1)(2n+1)}{6}$$

and it costs $5 or $6 to print. See [the tutorial](https://docs.python.org/3/tutorial/datastructures.html) for more.

- [x] explained
- [ ] practised`;

const user = (text: string, more: Partial<MessageView> = {}) => message({ role: "user", text, ...more });
const answer = (text: string, more: Partial<MessageView> = {}) =>
  message({
    text,
    model: "anthropic/claude-sonnet-4.5",
    usage: USAGE,
    ttft_s: 0.8,
    duration_s: 6.2,
    ...more,
  });

const REAL = { id: "anthropic/claude-sonnet-4.5", host: "openrouter.ai", is_demo: false, is_local: false };
const TALK = [user("Explain a list comprehension"), answer(ANSWER)];
const MODELS = [
  ["anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5", 1_000_000, 3, 15],
  ["openai/gpt-5", "GPT-5", 400_000, 1.25, 10],
  ["meta-llama/llama-4-scout:free", "Llama 4 Scout (free)", 128_000, 0, 0],
  ["mistralai/mistral-large", "Mistral Large", 128_000, 2, 6],
  ["rustbot/demo", "Offline demo", null, 0, 0],
].map(([id, name, context_length, input_usd, output_usd]) => ({
  id,
  name,
  context_length,
  input_usd,
  output_usd,
}));

async function sendLibrary(model: FakeModel, command: CommandMessage): Promise<void> {
  const name = "name" in command ? command.name : "";
  const data = await (await fetch(`/static/${name}.js.gz`)).arrayBuffer();
  const header = { rustbot: 1, library: name, id: command.id, view: command.view, encoding: "gzip" };
  model.trigger("msg:custom", header, [new DataView(data)]);
}

/** Answers what every scene answers; `more` is the scene's snapshot. */
function kernel(
  model: FakeModel,
  more: Partial<SnapshotOp>,
  then: (model: FakeModel) => void = () => {},
): void {
  model.answer = (command) => {
    if (command.command === "library") return void sendLibrary(model, command);
    if (command.command === "models") {
      const words = String("words" in command ? command.words : "").toLowerCase();
      const models = MODELS.filter(({ id, name }) => `${id} ${name}`.toLowerCase().includes(words));
      return model.ack(command, { models, age_s: 3600 });
    }
    if (command.command === "references") return model.ack(command, REFERENCES);
    if (command.command === "tool_run") {
      return model.ack(command, { arguments: CODE.repeat(20), result: `${CODE.repeat(40)}the end` });
    }
    if (command.command === "tools") model.emit({ op: "tools", tools: TOOLS });
    if (command.command === "settings") model.emit({ op: "settings", settings: SETTINGS });
    if (command.command === "set_approve_mode" && "mode" in command) {
      model.emit({ op: "approve_mode", mode: command.mode });
    }
    if (command.command === "mcp_log") return model.ack(command, { text: "Starting…\nReady on stdio\n" });
    if (command.command === "approve" || command.command === "deny")
      model.emit({ op: "approvals", items: [] });
    if (command.command === "send" && "text" in command) {
      model.emit({ op: "message", message: user(String(command.text)) });
      model.ack(command);
      return stream(model, ANSWER, 12, 40);
    }
    model.ack(command);
    if (command.command !== "sync") return;
    model.emit(snapshot(command.view, { model: REAL, ...more }));
    then(model);
  };
}

const REFERENCES = {
  prompts: [
    { name: "git:review", description: "Review the changes of a branch", arguments: ["branch"] },
    { name: "git:commit", description: "Write a commit message", arguments: [] },
    { name: "notes:summary", description: "Summarise the notes of a day", arguments: ["day", "words"] },
  ],
  resources: [
    { name: "notes:file:///today.md", description: "What was written down today" },
    { name: "memory:graph://all", description: "Everything that is remembered" },
  ],
};
const SETTINGS: SettingsView = {
  profile: "",
  profiles: [],
  fields: [],
  key: { present: true, source: "keyring", host: "openrouter.ai", can_use_keyring: true },
  problems: [],
  path: "~/settings.toml",
};

let streams = 0;

/** Writes `text` in pieces of so many characters, one each so many milliseconds. */
export function stream(model: FakeModel, text: string, pieceLength: number, everyMs: number): void {
  const id = `s${streams++}`;
  const begun = message({ id, status: "streaming", model: REAL.id });
  model.emit({ op: "message", message: begun }, { op: "state", state: state("responding") });
  let offset = 0;
  const timer = setInterval(() => {
    const piece = text.slice(offset, offset + pieceLength);
    model.emit({ op: "text", id, offset, text: piece });
    offset += piece.length;
    if (offset < text.length) return;
    clearInterval(timer);
    const fields = { status: "complete", usage: USAGE, duration_s: 3.1, ttft_s: 0.4 } as const;
    model.emit({ op: "message_patch", id, fields }, { op: "state", state: state("idle") });
  }, everyMs);
}

const failed = (error: Partial<NonNullable<MessageView["error"]>>) =>
  message({
    status: "error",
    model: REAL.id,
    error: {
      type: "ModelError",
      text: "",
      detail: "",
      status: null,
      retryable: true,
      suggestions: [],
      ...error,
    },
  });

const scene =
  (more: Partial<SnapshotOp>, then?: (model: FakeModel) => void) =>
  (model: FakeModel): void =>
    kernel(model, more, then);

const emits =
  (...ops: Op[]) =>
  (model: FakeModel) =>
    model.emit(...ops);

const totals = {
  requests: 3,
  usage: { ...USAGE, input_tokens: 8412, output_tokens: 2210, cost_usd: 0.0584 },
};

export const SCENES: Record<string, (model: FakeModel) => void> = {
  empty: scene({ model: { id: "rustbot/demo", host: "", is_demo: true, is_local: true } }),
  answer: scene({ messages: TALK, totals }),
  live: scene({ messages: [user("Explain a list comprehension")], totals }, (model) =>
    stream(model, ANSWER, 9, 40),
  ),
  thinking: scene(
    {
      messages: [user("Explain a list comprehension")],
      state: state("processing", { since: Date.now() - 7000, waiting_for_provider: true }),
    },
    emits({ op: "state", state: state("processing", { waiting_for_provider: true }) }),
  ),
  reasoning: scene({
    messages: [
      user("Why?"),
      message({
        status: "streaming",
        reasoning: "The user asks **why**. First, I look at the frame.",
        model: REAL.id,
      }),
    ],
    state: state("responding"),
  }),
  retry: scene(
    { messages: [user("Explain")] },
    emits({
      op: "state",
      state: state("waiting_retry", {
        retry: { attempt: 2, attempts: 4, until: Date.now() + 8000, reason: "The provider is overloaded." },
      }),
    }),
  ),
  queued: scene(
    {
      messages: TALK,
      totals,
      state: state("responding"),
      queue: [
        { id: "q1", text: "And a dict comprehension?", source: "chat" },
        {
          id: "q2",
          text: "Then compare both with map and filter, with timings for a million items please",
          source: "chat",
        },
      ],
    },
    (model) => stream(model, ANSWER.repeat(2), 5, 60),
  ),
  error: scene({
    messages: [
      user("Explain"),
      failed({
        type: "AuthenticationFailed",
        status: 401,
        text: "The provider does not accept the key for openrouter.ai: check it in the settings, or make a new one.",
        detail: '{"error": {"message": "No auth credentials found", "code": 401}}',
      }),
    ],
  }),
  unknown: scene({
    messages: [
      user("Explain"),
      failed({
        type: "UnknownModel",
        text: "'anthropic/claude-sonet' is not served by openrouter.ai. Pick another model.",
        suggestions: ["anthropic/claude-sonnet-4.5", "anthropic/claude-haiku-4.5"],
      }),
    ],
  }),
  context: scene({
    messages: [
      ...TALK,
      user("More"),
      failed({
        type: "ContextTooLong",
        text: "The conversation has 210,412 tokens, 'openai/gpt-5' takes 200,000.",
        retryable: false,
      }),
    ],
  }),
  interrupted: scene({
    messages: [user("Explain"), answer(ANSWER.slice(0, 420), { status: "interrupted" })],
    notices: [
      { id: "n1", level: "warning", text: "You used $0.80 of the $1.00 you allow per day." },
      { id: "n2", level: "info", text: "Settings are kept in memory: the settings file cannot be written." },
    ],
  }),
  busy: (model) => {
    kernel(model, { messages: TALK, has_subshells: false, ipykernel: "6.31.0" });
    const usual = model.answer;
    model.answer = (command, it) => {
      if (command.command !== "send") usual(command, it);
    };
  },
  gone: scene({ messages: TALK }, (model) =>
    setTimeout(() => {
      model.isDead = true;
      model.trigger("comm_live_update");
    }, 300),
  ),
  sources: scene({
    messages: [
      user("Was ist neu? שלום, what about עברית and العربية?", { source: "magic" }),
      answer(
        "Two things, with **sources**:\n\n![chart](https://example.com/chart.png?user=1)\n\n```python\nif user.is_admin:\u202e\u2066 # check\n    grant()\n```\n\nשלום עולם, this is *mixed*.\n\nInline $e^{i\\pi} + 1 = 0$ and broken $\\frac{1}{$.",
        {
          reasoning: "I look it up.\n\n1. search\n2. compare",
          citations: [
            { url: "https://example.com/a/very/long/path?with=query", title: "What is new in pandas 3.1" },
            { url: "https://docs.python.org/3/", title: "" },
          ],
          finish_reason: "length",
        },
      ),
    ],
  }),
  tools: scene({
    messages: [
      user("Plot the sales and look at the log"),
      message({ id: "m1", text: "I look at the data first.", finish_reason: "tool_calls" }),
    ],
    tool_runs: RUNS.map((run) => ({ ...run, message_id: "m1" })),
    state: state("running_tools"),
  }),
  used: scene({
    messages: [
      user("Plot the sales"),
      message({ id: "m1", text: "I look at the data first.", finish_reason: "tool_calls" }),
      message({ id: "m2", finish_reason: "tool_calls" }),
      answer("March sold most: **1,204** pieces.\n\nThe plot is above."),
    ],
    tool_runs: [
      toolRun({
        message_id: "m1",
        tool: "list_variables",
        label: "List variables",
        risk: "read",
        result: "sales",
      }),
      toolRun({ message_id: "m1", tool: "describe_variable", label: "Describe a variable", risk: "read" }),
      toolRun({
        message_id: "m2",
        approval: "allowed once",
        arguments: JSON.stringify({ code: CODE }),
        images: [PICTURE],
      }),
    ],
    totals,
  }),
  output: scene(
    {
      messages: [user("Run the tests"), message({ id: "m1", finish_reason: "tool_calls" })],
      tool_runs: [
        toolRun({
          id: "live",
          message_id: "m1",
          tool: "run_shell",
          label: "Run a command",
          state: "running",
          duration_s: null,
          arguments: '{"command": "pytest -q"}',
          approval: "allowed once",
        }),
      ],
      state: state("running_tools"),
    },
    (model) => {
      let offset = 0;
      setInterval(() => {
        const text = `test ${offset} passed\n`;
        model.emit({ op: "tool_output", id: "live", offset, text });
        offset += text.length;
      }, 150);
    },
  ),
  approval: scene({
    messages: [
      user("Tidy up"),
      message({ id: "m1", text: "I would like to run this:", finish_reason: "tool_calls" }),
    ],
    tool_runs: [
      toolRun({
        message_id: "m1",
        tool: "run_shell",
        label: "Run a command",
        state: "waiting_approval",
        duration_s: null,
        started_at: null,
        arguments: '{"command": "git status --short"}',
      }),
    ],
    approvals: [
      approval({ note: "Runs in ~/notes, without a shell.", source: "after reading file notes.txt" }),
    ],
    state: state("waiting_approval"),
  }),
  approvals: scene({
    messages: [user("Tidy up")],
    approvals: APPROVALS,
    state: state("waiting_approval"),
  }),
  hostile: scene({
    messages: [user("Tidy up"), message({ id: "m1", finish_reason: "tool_calls" })],
    tool_runs: HOSTILE_RUNS.map((run) => ({ ...run, message_id: "m1" })),
    approvals: HOSTILE_APPROVALS,
    state: state("waiting_approval"),
  }),
  unasked: scene({ messages: TALK, approve_mode: "allow", totals }),
  many: scene({
    messages: Array.from({ length: 200 }, (_, index) =>
      index % 2 ? answer(ANSWER) : user(`Question ${index}`),
    ),
    has_earlier: true,
  }),
};
