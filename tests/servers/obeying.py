"""A model that obeys: whatever it reads in a tool's result or description and knows as an order, it carries out."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """A tool call that the model makes."""

    name: str
    arguments: Mapping[str, Any]


@dataclass
class ObeyingModel:
    """A provider on this machine. First it makes the call that it was told to; then it obeys; then it says "Done."."""

    orders: Mapping[str, Call]
    """Text → the call that it makes when it reads it."""
    first: Call | None = None
    obeyed: list[str] = field(default_factory=list)
    """The names of the tools it called because it was ordered to."""

    def __enter__(self) -> ObeyingModel:
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(model.stream(body).encode())

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stream(self, body: Mapping[str, Any]) -> str:
        """The answer to a request, as server-sent events."""
        messages = body["messages"]
        last_user = max(index for index, message in enumerate(messages) if message["role"] == "user")
        turn = messages[last_user + 1 :]
        called = [call["function"] for message in turn for call in message.get("tool_calls") or []]
        if not called and self.first is not None:
            return _call_of(self.first)
        descriptions = [tool["function"]["description"] for tool in body.get("tools", []) if "function" in tool]
        results = [message["content"] for message in turn if message["role"] == "tool"]
        order = self._order_in([*descriptions, *results], called)
        if order is None:
            return _events({"content": "Done."}, "stop")
        self.obeyed.append(order.name)
        return _call_of(order)

    def _order_in(self, texts: Sequence[str], called: Sequence[Mapping[str, Any]]) -> Call | None:
        done = {(call["name"], call["arguments"]) for call in called}
        for text in texts:
            for order, call in self.orders.items():
                if order in text and (call.name, json.dumps(dict(call.arguments))) not in done:
                    return call
        return None


def _call_of(call: Call) -> str:
    function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
    return _events(
        {"tool_calls": [{"index": 0, "id": f"call_{call.name}", "type": "function", "function": function}]},
        "tool_calls",
    )


def _events(delta: Mapping[str, Any], finish: str) -> str:
    chunks = [
        {"choices": [{"index": 0, "delta": delta}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
    ]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
