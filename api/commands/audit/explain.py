"""`orders audit explain`: what happened to one order, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from api.commands.console import AsJson, print_json
from api.commands.operators import OrderName, operate, order_named
from application.operations import NotPossible
from application.times import utc_text

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it
    from application.audit.explanation import Explanation, Step

INDENT = 10
WIDTH = 120  # of a line where nobody looks at a terminal


def explain(order: OrderName, as_json: AsJson = False) -> None:
    """Explain an order: each event with its time and actor, the rule that decided and its inputs, what the gateway
    said, what changed, the postings it caused and the seal that covers it.

    Personal data is not shown, only the names of the fields that were given. Exit codes: 0 explained, 2 not possible.
    """
    explanation, shown = operate(lambda service: _explained(service, order))
    if as_json:
        print_json(shown)
        return
    console = Console(highlight=False, width=None if Console().is_terminal else WIDTH)
    for line in _lines(explanation):
        console.print(line)


async def _explained(service: Service, name: str) -> tuple[Explanation, dict[str, Any]]:
    from api.explaining import ExplainOrder, as_json

    explanation = await ExplainOrder(service)(await order_named(service, name))
    if explanation is None:
        raise NotPossible("there is no such order")
    return explanation, as_json(explanation)


def _lines(explanation: Explanation) -> Iterator[RenderableType]:
    yield Text(f"Order {explanation.number} of client {explanation.client_id}: {explanation.state}", style="bold")
    yield Text(f"{explanation.order_id}\n", style="dim")
    for step in explanation.steps:
        yield from _step(step)
    if explanation.unavailable:
        yield Text(f"could not be read now: {', '.join(explanation.unavailable)}", style="red")
    if explanation.later_postings:
        yield Text("Booked for it by later events", style="bold")
        yield from (_posting(row, f"position {row['position']} ") for row in explanation.later_postings)


def _step(step: Step) -> Iterator[RenderableType]:
    yield Text.assemble((f"{step.position:>8}  ", "dim"), (step.sentence, "bold"))
    yield _detail(f"{utc_text(step.recorded_at)}  {step.topic}  by {step.actor}")
    if step.rule is not None:
        yield _detail(f"rule {step.rule.name}: {step.rule.text}", "cyan")
        yield from (_detail(f"  {name} = {value}") for name, value in step.rule.inputs.items() if value is not None)
    said = step.gateway
    if said is not None and (said.response_code or said.reason_code or said.message_code):
        response = f"response {said.response_code} ({said.response})" if said.response_code else "no response code"
        reason = f", reason {said.reason_code} ({said.reason_status or 'not in our table'})" if said.reason_code else ""
        yield _detail(f"the gateway said: {response}{reason}", "magenta")
    for change in step.changes:
        parts = (f"{change.field}: ", (f"{change.before}", "red"), (" → ", "dim"), f"{change.after}")
        yield Padding.indent(Text.assemble(*parts), INDENT)
    yield from (_posting(row, "") for row in step.postings or ())
    if step.seal is not None:
        yield _detail(f"sealed {utc_text(step.seal.sealed_at)} by the tree of {step.seal.tree_size} events", "green")
    yield Text()


def _posting(row: Any, where: str) -> RenderableType:
    side, cents = ("debit", row["debit_cents"]) if row["debit_cents"] else ("credit", row["credit_cents"])
    return _detail(f"{where}{side} {row['account']} {cents} cents (rule {row['rule']})", "yellow")


def _detail(text: str, style: str = "dim") -> RenderableType:
    return Padding.indent(Text(text, style=style), INDENT)
