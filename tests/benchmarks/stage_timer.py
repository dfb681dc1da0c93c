"""Processor time by stage, in a running server: functions are replaced by versions that take the time.

A stage's coroutine is driven step by step, and only its steps count: while it waits, whoever runs meanwhile is charged.
Stages within stages are charged to the inner one. The clock is that of the thread, so waiting for a lock costs nothing.
"""

from __future__ import annotations

import sys
import time
import types
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from functools import wraps
from importlib import import_module
from typing import Any

import msgspec

Label = str | Callable[[list[str]], str]  # a name, or one that depends on the stages around


class Stage(msgspec.Struct):
    calls: int = 0
    cpu_ns: int = 0
    elapsed_ns: int = 0  # from call to return, waiting included


class Report(msgspec.Struct):
    """process_ns is the whole process; loop_ns the event loop's thread, in stages or not."""

    process_ns: int
    loop_ns: int
    stages: dict[str, Stage]
    missing: list[str]  # targets that are not there to be timed


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


class StageTimer:
    """Keeps the time of one process. Its stack belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._stages: defaultdict[str, Stage] = defaultdict(Stage)
        self.missing: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Only on the event loop's thread."""
        self._stages.clear()
        self._mark_ns = self._loop_ns = time.thread_time_ns()
        self._process_ns = time.process_time_ns()

    def report(self) -> Report:
        """Only on the event loop's thread."""
        process_ns, loop_ns = time.process_time_ns() - self._process_ns, time.thread_time_ns() - self._loop_ns
        return Report(process_ns, loop_ns, dict(self._stages), self.missing)

    # --- replacing functions ------------------------------------------------------------------------------------------

    def replace(self, target: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> bool:
        """Put a wrapped version in place of `module:function` or `module:Class.method`; False where there is none."""
        module_name, _, path = target.partition(":")
        owner: Any = _module(module_name)
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent, None)
        original = getattr(owner, name, None)
        if original is None:
            self.missing.append(target)
            return False
        wrapped = wrap(original)
        if parents:
            setattr(owner, name, wrapped)
            return True
        for module in list(sys.modules.values()):  # also where it was imported by name
            if vars(module).get(name) is original:
                setattr(module, name, wrapped)
        return True

    def coroutine(self, label: Label) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
        def wrap(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            @wraps(function)
            async def timed(*values: Any, **named: Any) -> Any:
                name = label if isinstance(label, str) else label(self._stack)
                return await self._driven(name, function(*values, **named))

            return timed

        return wrap

    def function(self, label: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def timed(*values: Any, **named: Any) -> Any:
                begun_ns = time.perf_counter_ns()
                self._enter(label)
                try:
                    return function(*values, **named)
                finally:
                    self._leave()
                    self._called(label, begun_ns)

            return timed

        return wrap

    def in_thread(self, label: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """For functions that run on other threads than the event loop's."""

        def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def timed(*values: Any, **named: Any) -> Any:
                begun_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
                try:
                    return function(*values, **named)
                finally:
                    self._stages[label].cpu_ns += time.thread_time_ns() - cpu_ns
                    self._called(label, begun_ns)

            return timed

        return wrap

    # --- keeping time -------------------------------------------------------------------------------------------------

    @types.coroutine
    def _driven(self, label: str, awaitable: Awaitable[Any]) -> Generator[Any, Any, Any]:
        begun_ns = time.perf_counter_ns()
        steps = awaitable.__await__()
        step: Callable[[Any], Any] = lambda _: next(steps)  # noqa: E731
        sent: Any = None
        try:
            while True:
                self._enter(label)
                try:
                    waited_for = step(sent)
                except StopIteration as stop:
                    return stop.value
                finally:
                    self._leave()
                try:
                    sent = yield waited_for
                    step = steps.send
                except GeneratorExit:
                    steps.close()
                    raise
                except BaseException as error:
                    sent, step = error, steps.throw
        finally:
            self._called(label, begun_ns)

    def _enter(self, label: str) -> None:
        self._charge()
        self._stack.append(label)

    def _leave(self) -> None:
        self._charge()
        self._stack.pop()

    def _charge(self) -> None:
        now_ns = time.thread_time_ns()
        if self._stack:
            self._stages[self._stack[-1]].cpu_ns += now_ns - self._mark_ns
        self._mark_ns = now_ns

    def _called(self, label: str, begun_ns: int) -> None:
        stage = self._stages[label]
        stage.calls += 1
        stage.elapsed_ns += time.perf_counter_ns() - begun_ns
