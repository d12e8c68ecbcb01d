"""The offline demo's knowledge of Rustbot: one short text per topic, and the notes it adds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FIRST_NOTE = """
> **Offline demo.** This text comes from rules on your machine, not from a language model: nothing was sent and \
nothing was paid. For a real model set `OPENROUTER_API_KEY`, type a key into the **Settings** tab, or use a local \
server such as Ollama. *Ask me "how do I use a real model?"*
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """Something one can ask about."""

    title: str
    words: str
    """A regular expression; each different match in a question counts one."""
    text: str
    question: str
    """How a user would ask for it; offered as a suggestion."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(rf"(?<!\w)(?:{self.words})", re.IGNORECASE))

    def score(self, question: str) -> int:
        """Return how many different words of the topic the question uses."""
        return len({match.group().lower() for match in self.pattern.finditer(question)})


WHAT_I_CAN_DO = """
Hello! I am the **offline demo** of Rustbot. I answer by rules, so that you can try everything here without a key, \
a network or a bill. With a real model in my place, Rustbot is an assistant that lives *inside your kernel*:

- **Chat** in this widget. Answers stream, **Stop** ends one at once, and the chat goes on while a cell runs.
- **Cells**: `%%rustbot` turns a cell into a question, and `{df}` puts a variable of yours into it.
- **Tools**: it looks at your variables, runs code and reads files, and asks you before it changes anything.
- **Python**: `reply = bot.ask("...")` gives the answer as an object, with its text, code, tokens and cost.
- **Repair**: after an error, `%rustbot fix` sends the cell and its traceback and brings back a corrected cell.
- **Your own data about it**: `bot.usage()` and `bot.events()` are pandas frames, `bot.figures.cost()` a Plotly figure.

Some things to try on me right now:

1. *Show me some Markdown*
2. *What variables do I have?*
3. *Write a function that finds primes*
4. *Explain this code:* followed by a few lines of Python
5. *Write a long answer*, and then press **Stop**
6. *How do I use a real model?*
"""

REAL_MODEL = """
### Using a real model

**With OpenRouter** (one key for some hundreds of models): make a key at openrouter.ai, then choose one of these.

| Where | How | Good for |
|---|---|---|
| **Settings** tab | paste the key into *API key* and save | trying it now |
| environment | set `OPENROUTER_API_KEY` before you start Jupyter | your own machine |
| `.env` file | a line `OPENROUTER_API_KEY=...` beside the notebook | a project (keep it out of git) |
| Python | `bot = rb.Rustbot(api_key=...)` | scripts |

Please do not type a key into a notebook cell: notebooks get shared, and the key with them.

**With a model on your machine** you need no key at all. Start Ollama, LM Studio, llama.cpp or vLLM, and give its \
address:

```python
import rustbot_jupyter as rb

bot = rb.Rustbot(base_url="http://localhost:11434/v1", model="llama3.2")
bot.ask("Say hello in one sentence.")
```

Then pick the model in the chat's model picker, or set `bot.model = "vendor/name"`. If something does not work, \
`rustbot doctor` in a terminal says which key and server would be used and whether they answer.
"""

LOCAL_MODELS = """
### Models on your own machine

Any server with an OpenAI-compatible address works. It needs no key, and its cost is shown as local.

| Server | Usual address |
|---|---|
| Ollama | `http://localhost:11434/v1` |
| LM Studio | `http://localhost:1234/v1` |
| llama.cpp | `http://localhost:8080/v1` |
| vLLM | `http://localhost:8000/v1` |

```python
import rustbot_jupyter as rb

bot = rb.Rustbot(base_url="http://localhost:11434/v1", model="llama3.2")
```

The **Settings** tab and `rustbot doctor` look at these ports and list what they find. To keep one for good, save it \
as a profile in the Settings tab; `%%rustbot -p NAME` then uses it for a single cell. Nothing leaves your machine \
this way, which makes it the right choice for data that must stay where it is.
"""

MAGICS = """
### Rustbot in cells

Load the magics once per notebook with `%load_ext rustbot_jupyter`. Then a cell can be a question:

```
%%rustbot
Which columns of {df} have missing values, and how would you fill them?
```

`{df}` is replaced by a summary of your variable; anything that is not a name of yours stays as you typed it, \
so `{"a": 1}` and LaTeX are safe. Useful flags:

| Flag | Effect |
|---|---|
| `-f code` | takes the code of the answer and puts it into the next cell |
| `--out NAME` | keeps the answer in a variable |
| `--vars a,b` | describes these variables to the model |
| `--dry-run` | shows exactly what would be sent, and sends nothing |
| `--no-history` | asks without the earlier conversation |
| `--max-cost USD` | refuses a request that could cost more |

And on one line: `%rustbot` shows the chat, `%rustbot fix` mends the last error, `%rustbot explain` explains it, \
`%rustbot usage` shows tokens and cost, `%rustbot models WORD` searches the catalogue, `%rustbot help` lists the rest.
"""

VARIABLES = """
### Your variables in a question

In a `%%rustbot` cell, names in braces are replaced by their values:

- `{name}`, `{name.attribute}`, `{name[key]}` for variables,
- `{In[3]}`, `{Out[3]}` and `{Err[3]}` for the input, output and error of an earlier cell,
- `` $`expression` `` for the value of any Python expression.

A name that does not exist, `{}`, a JSON object or a LaTeX formula stays exactly as typed, so a question never fails \
because of its braces. A data frame becomes its column names, types, first rows and a few statistics, within a \
budget: a frame with a million rows costs about as much as one with a hundred.

`--vars a,b` describes variables without naming them in the text. `--schema-only` lets no cell value leave the \
machine, only names, types and shapes. And `--dry-run` shows you the exact messages before anything is sent.
"""

USAGE = """
### What it cost, as data

Every request is a row in your own kernel:

```python
bot.usage()            # tokens, cost, time to first token, speed, retries, status: one row per request
bot.events()           # everything that happened, in order
bot.states()           # which state the assistant was in, and for how long

bot.figures.tokens()   # Plotly figures of the same frames
bot.figures.cost()
bot.figures.states()
```

They are plain pandas frames, so the usual questions are one line each:

```python
bot.usage().groupby("model")[["output_tokens", "cost_usd"]].sum()
```

A cost that the provider billed is exact. One that was computed from list prices is marked in `cost_is_estimate`, \
and one that nobody knows is `<NA>`, never zero. My own rows are real, too: I cost 0.0, and I count about four \
characters as one token. In the chat, tokens and cost stand under each answer; `%rustbot cost` prints the sum.
"""

BUDGET = """
### Spending limits

There are three caps, all in US dollars: per request, per conversation and per day. Set them in the **Settings** tab, \
or in Python:

```python
bot = rb.Rustbot(max_cost_usd=0.50)
bot.ask("...", max_cost_usd=0.02)          # for one question
```

In a cell it is `%%rustbot --max-cost 0.02`. Before a request leaves, Rustbot reserves what it could cost at worst; \
if that would break a cap, it is not sent and the message says which cap it was. At four fifths of a cap you get a \
warning. `--dry-run` shows tokens and the price range beforehand. I am free, so with me no cap is ever reached.
"""

STOP = """
### Stopping an answer

Stop works at any moment, as often as you like:

- the **Stop** button in the chat,
- *Kernel → Interrupt* (or `I`, `I`) while a `%%rustbot` cell runs,
- `bot.interrupt()` or `%rustbot stop` from code.

What has arrived is kept and marked as interrupted, the connection to the provider is closed within a second, so that \
it stops generating (and billing), and your next question works as if nothing had happened.

You can write while an answer is still coming: the message waits in view, and can be edited, removed, or sent at once, \
which stops the answer that is running. To try it, ask me to *write a long answer of 2000 words*, and stop me.
"""

KEYS = """
### Where a key lives

Rustbot looks in this order: the `api_key` argument, the variable `OPENROUTER_API_KEY`, a `.env` file, then what you \
saved. A key typed into the **Settings** tab stays in memory unless you ask to save it.

- A key belongs to the server it was given for. Another `base_url` does not get it.
- The Settings tab can set a key and forget it, but never shows it: it does not travel back to the page.
- Keys are taken out of events, logs, error messages and exported settings.
- A saved key goes into a file that only you can read, or into your system's keyring with the `[keyring]` extra.

Two habits help: do not write a key into a cell, where it is saved with the notebook, and give the key a spending \
limit at the provider. I need no key at all.
"""

PRIVACY = """
### What leaves your machine

**With me: nothing.** I am a few Python files in your kernel and open no connection.

With a real model, a request holds these things and no others:

1. your message, and what you put into it with `{name}` or `--vars`,
2. the earlier messages of the conversation, as far as they fit,
3. your instructions from the Settings tab,
4. the model's name, parameters such as the temperature, a random conversation id and the name of this program.

It goes to the one server you chose. Your notebook, files and other variables are not sent along.

To see it in advance, put `--dry-run` on a `%%rustbot` cell: it prints the exact messages, the estimated tokens and \
cost, and sends nothing. With `--schema-only` no cell value leaves the machine, only names, types and shapes. And if \
nothing may leave at all, use a server on your own machine: ask me about *local models*.
"""

SETTINGS = """
### Settings

The **Settings** tab of this widget and the `bot.settings` object are the same thing: model, instructions and \
personality, temperature, token limits, time limits, retries, spending caps, server address.

A value can come from five places. The later one wins:

**default → settings file → profile → environment and `.env` → the call itself**

```python
bot.settings.explain()                   # every value, and which place it came from
bot.model = "vendor/name"                # for this bot
bot.ask("...", model="vendor/other")     # for one question
```

A *profile* is a named set, say `work` with one server and `home` with another: `rb.Rustbot(profile="home")`, or \
`-p home` on a `%%rustbot` cell. All of it is kept in `settings.toml` in your configuration folder, and comments you \
write there survive. If the file has a mistake, the good fields are used and a message names the bad one.
"""

EVENTS = """
### Watching Rustbot work

Nothing happens behind your back. Each step is an **event**: message received, request sent, first token, text \
streamed, retry scheduled, turn finished. The **Events** tab lists them live, with a filter and a search; \
`bot.events()` gives the same as a frame.

The assistant is always in exactly one **state**. A usual turn walks through

`IDLE → PROCESSING → RESPONDING → IDLE`

where `PROCESSING` means that the request is sent and nothing came back yet. `WAITING_RETRY` and `ERROR` are the ones \
you hope not to see. `bot.state` tells the current one, `bot.states()` the history, and `bot.figures.states()` draws it.

Events have four priorities. An interrupt is `CRITICAL` and overtakes everything that waits, which is why **Stop** \
works even when the assistant is busy.
"""

PYTHON_API = """
### From Python

```python
import rustbot_jupyter as rb

bot = rb.Rustbot()                       # in a cell of its own, `bot` shows the chat
reply = bot.ask("Name three sorting algorithms.")

reply.text                               # the answer
reply.code                               # its code blocks
reply.usage                              # tokens and cost
reply.status                             # complete or interrupted
```

`ask` waits for the answer, and works in a cell, in a script and in a thread. Two more ways, when you want to go on \
meanwhile or see the text as it comes:

```python
reply = await bot.ask_async("And which is the fastest?")

async for event in bot.stream("Why?"):
    if event.kind == "text_streamed":
        print(event.text, end="")
```

`bot.conversation.messages` holds what was said. If a question fails, `ask` raises a `RustbotError` whose text says \
what to do next; what had arrived by then is in its `.reply`.
"""

REPAIR = """
### When a cell fails

Run `%rustbot fix` in the next cell. It sends the failing cell, its traceback and the variables it names, and brings \
back a corrected version; `%rustbot explain` explains the error instead. `%rustbot fix 12` means the cell numbered 12.

Even I can help with everyday mistakes, offline. Paste a traceback here, best together with the code:

```python
prices = [3, 5, 8]
total = sum(price)
```

`NameError: name 'price' is not defined`

I know what the common exceptions mean, find the line, and where the correction is certain (a misspelt name, a missing \
import, a forgotten colon, a division by zero) I write it down. A real model does this for any code, and reads your \
variables' types while doing so.
"""

MODELS = """
### Choosing a model

```python
bot.models("sonnet")            # a frame: name, context length, prices
bot.model = "vendor/name"       # from now on
```

`%rustbot models WORD` prints the same list, the model picker in the chat searches it, and \
`%%rustbot vendor/name` uses a model for one cell. `%rustbot alias fast vendor/name` gives it a short name. A name \
that \
does not exist is answered with the nearest ones that do.

How to choose? For explaining and mending code a middle-sized model is usually enough; take a large one for design \
questions, and a small one for hundreds of short texts. Compare them on *your* question: the same prompt, two models, \
then look at `bot.usage()` for what each one cost and how long it took.

I am `rustbot/demo`: no parameters, no training, no opinions.
"""

QUEUE = """
### Chatting while a cell runs

Rustbot works in a thread of its own, beside your cells. On ipykernel 7 or newer you can ask something while a long \
computation runs; the answer streams, and **Stop** works. On ipykernel 6 messages wait for the cell to end; a banner \
tells you so.

If you write while an answer is coming, the new message is queued, in view. You can edit it, remove it, or send it \
now, \
which stops the current answer. From Python the same list is `bot.queue`.

Try it: run `import time; time.sleep(30)` in a cell, and ask me something meanwhile.
"""

TOOLS = """
### Tools

A model can act in your notebook, and so can I, by rules. A tool that only looks at your variables or at files of this \
folder runs at once; everything else shows you first what exactly would run, and waits for your *Allow once* or *Deny*.

Ask me, for instance:

- *What variables do I have?* and *Describe df*
- *How many rows has df?* and *Plot price by city from df*
- *Run print(1)*, and see the approval
- *List files*, *Read notes.txt*, *Search for TODO in files*
- *What was the last error?*
- *Use convert with amount=3 and unit=km*, if you made a tool of that name

A tool of your own is a function with a docstring:

```python
import rustbot_jupyter as rb

bot = rb.get_bot()


@bot.tool
def convert(amount: float, unit: str) -> str:
    \"\"\"Convert a length to miles.\"\"\"
    return f"{amount * {'km': 0.621, 'm': 0.000621}[unit]:.3f} miles"
```

`bot.tools.list()` shows all tools, `bot.tool_runs()` what they did, and **Settings** switches each on or off.
"""

HISTORY = """
### Conversations

A conversation lives as long as your kernel. The chat, `%%rustbot` cells and `bot.ask` share it, so you can start in \
one and go on in another.

- `%rustbot reset` starts a new one; `%%rustbot --new` does so for a cell.
- `%%rustbot --no-history` asks a single question without it.
- `bot.conversation.messages` has all messages as Python objects.

Reloading the page loses nothing, since everything lives in the kernel. Restarting the kernel ends the conversation.

I remember it, too. Ask me *"what did I ask first?"*
"""

TROUBLE = """
### If something does not work

Run `rustbot doctor` in a terminal, or `%rustbot doctor` in a cell. It checks what is installed, which key and server \
would be used, whether they answer, and whether your kernel can chat while a cell runs. Each line says *ok*, *warning* \
or *problem*, with the next step.

| What you see | What helps |
|---|---|
| answers come from the offline demo | no key was found: **Settings** tab, or `OPENROUTER_API_KEY` |
| "unknown model" | `%rustbot models WORD` finds the right name |
| the chat says the kernel is busy | ipykernel 6 waits for the cell: update to ipykernel 7 |
| the widget is empty after a restart | run its cell again |
| the answer stopped in the middle | what came is kept; ask again, or raise the token limit |

Error messages name the thing that went wrong and what to do about it. The **Events** tab shows what happened before.
"""

KEYBOARD = """
### The chat in short

**Enter** sends, **Shift+Enter** makes a new line. While an answer comes, the send button is **Stop**. A draft \
survives \
when you close the page.

Code blocks have *Copy* and *Insert below*. Your own messages can be edited and sent again, an answer can be generated \
anew. Scroll up to read in peace: the chat stops following until you return to the end.

The tabs: **Chat** for the conversation, **Events** for everything that happens, **Settings** for model, key and \
limits. Show the chat again at any time with `bot` at the end of a cell, or with `%rustbot`.
"""

NAME = """
Rustbot began as a plan for a desktop program in Rust. The program was never finished; the ideas moved into Jupyter, \
where the data is. Names such as `AssistantEvent`, `EventQueue` and `AgentState` are from that plan, and so is the \
habit of making every state and every event visible.

It is written in Python and TypeScript now. No Rust was harmed, or used.
"""

INSTALL = """
### Installing

```
pip install "rustbot-jupyter[lab]"
rustbot lab
```

The `[lab]` extra brings JupyterLab; leave it out if you have one. It needs Python 3.11 or newer, and works in \
JupyterLab 4 and Notebook 7. In a notebook:

```python
import rustbot_jupyter as rb

bot = rb.Rustbot()
bot
```

From a checkout, `make lab` sets everything up and opens the tour. `rustbot ask "..."` works in a terminal without any \
notebook.
"""

TOPICS = (
    Topic(
        title="Using a real model",
        words=r"real (?:model|ai|llm)|openrouter|gpt|claude|gemini|connect|(?:get|set|need|have|use|add|enter) "
        r"(?:a|an|the|my)? ?(?:api )?key|better model|actual model|switch model|go online",
        text=REAL_MODEL,
        question="How do I use a real model?",
    ),
    Topic(
        title="Magics",
        words=r"magics?\b|%+rustbot|cell magic|load_ext|flags?\b|dry.?run|--\w+",
        text=MAGICS,
        question="How do the magics work?",
    ),
    Topic(
        title="Usage and cost",
        words=r"usage|costs?\b|tokens?\b|spent|spend|figures?\b|(?:data ?)?frames? (?:of|about)|statistics|how much|"
        r"price",
        text=USAGE,
        question="What did this cost?",
    ),
    Topic(
        title="Stopping",
        words=r"stop|interrupt|cancel|abort|ctrl.?c",
        text=STOP,
        question="How do I stop an answer?",
    ),
    Topic(
        title="Privacy",
        words=r"privacy|private|leaves?\b|leak|upload|(?:data|anything|variables?) (?:is |are )?(?:sent|shared)|sent\b|"
        r"gdpr|confidential|telemetry|secure|safe\b",
        text=PRIVACY,
        question="What leaves my machine?",
    ),
    Topic(
        title="Settings",
        words=r"settings?\b|profiles?\b|configur\w*|config\b|toml|temperature|personality|instructions|options?\b",
        text=SETTINGS,
        question="How do settings work?",
    ),
    Topic(
        title="Your variables",
        words=r"(?:my )?variables?\b|interpolat\w*|placeholders?|braces|see my (?:data|frame)|--vars|dataframes? in",
        text=VARIABLES,
        question="How do I put my variables into a question?",
    ),
    Topic(
        title="Keys",
        words=r"keys?\b|api.key|secrets?\b|passwords?\b|\.env|keyring|credentials?",
        text=KEYS,
        question="Where is my key kept?",
    ),
    Topic(
        title="Local models",
        words=r"local(?:ly)?\b|ollama|lm ?studio|llama\.?(?:cpp)?|vllm|litellm|own (?:machine|server|model)|base_url|"
        r"gguf",
        text=LOCAL_MODELS,
        question="Can I use a local model?",
    ),
    Topic(
        title="Python",
        words=r"bot\.ask|\bask\(|python api|from python|in python code|reply\b|async\b|await\b|bot\.stream|script",
        text=PYTHON_API,
        question="How do I ask from Python?",
    ),
    Topic(
        title="Events and states",
        words=r"events?\b|states?\b|state machine|queue of events|priorit\w+|under the hood|inside|how do you work|"
        r"architecture|activity",
        text=EVENTS,
        question="What are events and states?",
    ),
    Topic(
        title="Repairing cells",
        words=r"fix\b|repair|tracebacks?|errors?\b|exceptions?\b|debug\w*|broken cell|cell fails?",
        text=REPAIR,
        question="What can you do about an error?",
    ),
    Topic(
        title="Choosing a model",
        words=r"which model|models?\b|choose|alias\w*|catalog\w*|fallback",
        text=MODELS,
        question="Which model should I choose?",
    ),
    Topic(
        title="Spending limits",
        words=r"budgets?\b|caps?\b|limits?\b|max.cost|expensive|overspend\w*|bill\b",
        text=BUDGET,
        question="How do I limit what I spend?",
    ),
    Topic(
        title="While a cell runs",
        words=r"while (?:a|my|the) cell|busy|queued?\b|at the same time|parallel|kernel is|background|subshells?",
        text=QUEUE,
        question="Can I chat while a cell runs?",
    ),
    Topic(
        title="Tools",
        words=r"tools?\b|agents?\b|mcp\b|run (?:my )?code|execute|read (?:my )?files?|web search|browse|"
        r"function.call\w*",
        text=TOOLS,
        question="Can you run code?",
    ),
    Topic(
        title="Conversations",
        words=r"conversations?\b|history|saved?\b|export|reset|restart\w*|memory|remember",
        text=HISTORY,
        question="What happens to our conversation?",
    ),
    Topic(
        title="Trouble",
        words=r"not work\w*|doesn.?t work|trouble\w*|problems?\b|doctor|wrong with|empty widget|hangs?\b|stuck",
        text=TROUBLE,
        question="What if something does not work?",
    ),
    Topic(
        title="The chat",
        words=r"keyboard|shortcuts?|widget|chat tab|enter key|shift.?enter|tabs?\b|copy|insert|user interface",
        text=KEYBOARD,
        question="How do I use the chat?",
    ),
    Topic(
        title="The name",
        words=r"why .{0,20}rustbot|name rustbot|called rustbot|\brust\b",
        text=NAME,
        question="Why is it called Rustbot?",
    ),
    Topic(
        title="Installing",
        words=r"install\w*|pip\b|binder|jupyterlab|notebook 7|requirements?\b|make lab|python version",
        text=INSTALL,
        question="How do I install it?",
    ),
)
